#include "core/imports.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "core/find.h"
#include "core/idem.h"
#include "core/upload.h"
#include "model/ids.h"
#include "model/limits.h"

/* A call that was answered, by its idempotency key: answered again, it stages nothing. */
struct staged {
    uint8_t digest[DIGEST_LEN]; /* of the request */
    struct upload *up;
};

/* One staged import. It is taken out of the table while a call works on it, so that calls on one import
 * exclude each other without holding the table's lock. */
struct import {
    char id[ID_UUID_LEN + 1], actor[64];
    acd_slice key;              /* it was started with */
    uint8_t digest[DIGEST_LEN]; /* of that request */
    struct map staged;          /* key -> struct staged */
    char *account;
    const char *product;
    enum acd_profile profile;
    int64_t touched_ms;
    struct mem_region region;
    struct upload **uploads;
    size_t n, cap;
    bool busy, stored; /* stored: committed, kept only so that a commit can be tried again */
};

struct imports {
    pthread_mutex_t lock;
    struct import *slots[LIMIT_IMPORTS];
};

enum { IMPORT_BYTES = 128 * 1024 * 1024 }; /* staged certificates of one import */

struct imports *
imports_new(void)
{
    struct imports *t = calloc(1, sizeof(*t));
    if (t)
        must(pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

static void
import_free(struct import *im)
{
    if (!im)
        return;
    map_done(&im->staged);
    mem_done(&im->region);
    free(im);
}

void
imports_free(struct imports *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < LIMIT_IMPORTS; i++)
        import_free(t->slots[i]);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

/* --- the table --------------------------------------------------------------------------------------------
 */

static bool
import_is_over(const struct import *im, int64_t now_ms)
{
    return !im->busy && (im->stored || now_ms - im->touched_ms >= LIMIT_IMPORT_IDLE_MS);
}

/* The import that the same call started before, or NULL. Under the lock. */
static struct import *
import_started(struct imports *t, const struct import *im)
{
    for (size_t i = 0; i < LIMIT_IMPORTS; i++) {
        struct import *there = t->slots[i];
        if (there && !import_is_over(there, im->touched_ms) && slice_eq(there->key, im->key) &&
            strcmp(there->actor, im->actor) == 0)
            return there;
    }
    return NULL;
}

enum { IMPORT_THERE = 1 };

/* Opens the import, which is the table's then. IMPORT_THERE: its key has started one already, which *im says
 * in its id and digest; im remains the caller's. */
static int
import_add(struct imports *t, struct import *im, acd_err *err)
{
    int rc = ACD_ELIMIT;
    struct import **slot = NULL;
    (void)pthread_mutex_lock(&t->lock);
    const struct import *there = import_started(t, im);
    for (size_t i = 0; !there && i < LIMIT_IMPORTS && (!slot || *slot); i++)
        if (!t->slots[i] || import_is_over(t->slots[i], im->touched_ms))
            slot = &t->slots[i];
    if (there) {
        memcpy(im->id, there->id, sizeof(im->id));
        memcpy(im->digest, there->digest, sizeof(im->digest));
        rc = IMPORT_THERE;
    } else if (slot) {
        import_free(*slot);
        *slot = im;
        rc = 0;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return rc >= 0 ? rc : err_set(err, rc, "%d imports are open already: commit or abort one", LIMIT_IMPORTS);
}

static int
import_take(struct imports *t, struct rpc_call *call, const char *id, int64_t now_ms, struct import **ret,
            acd_err *err)
{
    const char *actor = call_actor(call);
    int rc = ACD_ENOENT;
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < LIMIT_IMPORTS; i++) {
        struct import *im = t->slots[i];
        if (!im || strcmp(im->id, id) != 0 || strcmp(im->actor, actor) != 0)
            continue;
        rc = im->busy ? ACD_EBUSY : 0;
        if (rc == 0) {
            im->busy = true;
            im->touched_ms = now_ms;
            *ret = im;
        }
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (rc == ACD_ENOENT)
        return err_set(err, rc, "no import '%s': it was committed, aborted, or idle for too long", id);
    return rc == 0 ? 0 : err_set(err, rc, "another call is working on import '%s'", id);
}

static void
import_give(struct imports *t, struct import *im, bool drop)
{
    (void)pthread_mutex_lock(&t->lock);
    im->busy = false;
    for (size_t i = 0; drop && i < LIMIT_IMPORTS; i++)
        if (t->slots[i] == im)
            t->slots[i] = NULL;
    (void)pthread_mutex_unlock(&t->lock);
    if (drop)
        import_free(im);
}

/* --- start, add, abort ------------------------------------------------------------------------------------
 */

/* These three change no truth: they run as reads, without the writer's place. What their idempotency keys
 * stand for lives as long as the import. */

static const char start_method[] = "CaService/StartImport", add_method[] = "CaService/AddToImport";

static struct import *
import_new(struct unit *u, const Anchord__V1__StartImportRequest *req, const acd_value *account,
           const char *product)
{
    struct import *im = calloc(1, sizeof(*im));
    if (!im)
        return NULL;
    mem_init(&im->region, 1 << 18, IMPORT_BYTES);
    id_new_uuid(im->id);
    (void)snprintf(im->actor, sizeof(im->actor), "%s", call_actor(u->call));
    im->account = mem_strdup(&im->region, row_text(account, ACCOUNT_ID));
    im->product = product;
    im->profile = (enum acd_profile)req->profile;
    im->touched_ms = u->now_ms;
    im->key = mem_slice(&im->region, u->call->frame.idem_key);
    idem_digest(u, start_method, im->digest);
    if (im->account && im->key.ptr)
        return im;
    import_free(im);
    return NULL;
}

static int
start_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__StartImportRequest *req = req_;
    Anchord__V1__StartImportResponse *resp =
        wire_new(u->region, Anchord__V1__StartImportResponse, anchord__v1__start_import_response);
    acd_value *account;
    const char *product;
    (void)plan_;
    int rc = upload_product(u->call, req->product, &product, err);
    if (rc == 0)
        rc = upload_profile(req->profile, err);
    if (rc == 0)
        rc = find_account(u, req->account, &account, err);
    if (rc == 0)
        rc = upload_entitled(u->call, account, err);
    if (rc < 0)
        return rc;
    struct import *im = import_new(u, req, account, product);
    if (im && resp)
        resp->import_id = mem_strdup(u->region, im->id);
    *ret_resp = resp;
    rc = im && resp && resp->import_id ? import_add(core_imports(u->core), im, err) : ACD_ENOMEM;
    if (rc == 0)
        return 0; /* the table's, and perhaps gone by now */
    if (rc == IMPORT_THERE) {
        rc = idem_same(u, start_method, start_method, slice_of(im->digest, sizeof(im->digest)), err);
        memcpy(resp->import_id, im->id, sizeof(im->id));
    }
    import_free(im);
    return rc;
}

/* One character of a value in the form of RFC 4514 (2.4): itself, after a backslash, or as hexadecimal. */
static size_t
unescape(const char *s, size_t n, char *ret)
{
    if (*s != '\\' || n < 2) {
        *ret = *s;
        return 1;
    }
    if (n >= 3 && hex_decode(slice_of(s + 1, 2), (uint8_t *)ret, 1))
        return 3;
    *ret = s[1];
    return 2;
}

/* A name for people from the subject: its common name, or all of it. Control bytes become blanks, and what is
 * too long ends with a whole character. */
static const char *
common_name(struct mem_region *r, const acd_certinfo *info)
{
    const char *s = info->subject.ptr, *end = s + info->subject.len, *cn = strstr(s, "CN=");
    char name[LIMIT_NAME + 1];
    size_t n = 0;
    bool whole = !cn || (cn != s && cn[-1] != ',' && cn[-1] != '+');
    for (s = whole ? s : cn + 3; s < end && n < LIMIT_NAME && (whole || (*s != ',' && *s != '+')); n++) {
        s += unescape(s, (size_t)(end - s), &name[n]);
        if ((unsigned char)name[n] < 0x20 || name[n] == 0x7f)
            name[n] = ' ';
    }
    while (n > 0 && n == LIMIT_NAME && !utf8_valid(slice_of(name, n)))
        n--;
    return wire_text(r, slice_of(name, n));
}

static int
stage(struct import *im, struct core *core, const Anchord__V1__AddToImportRequest *req, struct upload **ret,
      acd_err *err)
{
    struct mem_region *r = &im->region;
    if (im->n == LIMIT_IMPORT_OBJECTS)
        return err_set(err, ACD_ELIMIT, "an import holds at most %d objects", LIMIT_IMPORT_OBJECTS);
    if (im->n == im->cap) {
        size_t cap = im->cap ? im->cap * 2 : 64;
        struct upload **list = mem_new_n(r, cap, struct upload *);
        if (!list)
            return ACD_ENOMEM;
        if (im->n)
            memcpy(list, im->uploads, im->n * sizeof(*list));
        im->uploads = list;
        im->cap = cap;
    }
    struct upload *up = mem_new(r, struct upload);
    if (!up)
        return ACD_ENOMEM;
    up->product = im->product;
    up->profile = im->profile;
    up->text = mem_slice(r, slice_str(req->certificates));
    if (!up->text.ptr)
        return ACD_ENOMEM;
    int rc = upload_check(core_validator(core), r, core_now(core), (acd_slice){NULL, 0}, up, err);
    if (rc < 0)
        return rc;
    up->name = req->name[0] ? mem_strdup(r, req->name) : up->nitems == 0 ? "" : common_name(r, &up->items[0]);
    if (!up->name)
        return ACD_ENOMEM;
    im->uploads[im->n++] = up;
    *ret = up;
    return 0;
}

/* Stages the object, or finds what the same call staged before. */
static int
stage_once(struct unit *u, struct import *im, const Anchord__V1__AddToImportRequest *req, struct upload **ret,
           acd_err *err)
{
    acd_slice key = u->call->frame.idem_key;
    struct staged *staged = map_find(&im->staged, key);
    if (staged) {
        *ret = staged->up;
        return idem_same(u, add_method, add_method, slice_of(staged->digest, sizeof(staged->digest)), err);
    }
    staged = mem_new(&im->region, struct staged);
    int rc = staged ? stage(im, u->core, req, ret, err) : ACD_ENOMEM;
    if (rc == ACD_ENOMEM && im->region.full)
        return err_set(err, ACD_ELIMIT, "an import holds at most %d MiB: commit it and begin another",
                       IMPORT_BYTES >> 20);
    if (rc < 0)
        return rc;
    staged->up = *ret;
    idem_digest(u, add_method, staged->digest);
    return map_put(&im->staged, key, staged, NULL);
}

/* Copies: the import may be gone before the reply is packed. */
static int
copy_findings(struct mem_region *r, const struct upload *up, Anchord__V1__AddToImportResponse *resp)
{
    resp->findings = mem_new_n(r, up->nfindings, Anchord__V1__Finding *);
    if (!resp->findings)
        return ACD_ENOMEM;
    for (; resp->n_findings < up->nfindings; resp->n_findings++) {
        Anchord__V1__Finding *f = wire_new(r, Anchord__V1__Finding, anchord__v1__finding);
        if (!f)
            return ACD_ENOMEM;
        *f = *up->findings[resp->n_findings];
        f->code = mem_strdup(r, f->code);
        f->message = mem_strdup(r, f->message);
        if (!f->code || !f->message)
            return ACD_ENOMEM;
        resp->findings[resp->n_findings] = f;
    }
    return 0;
}

static int
add_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    struct core *core = u->core;
    struct rpc_call *call = u->call;
    const Anchord__V1__AddToImportRequest *req = req_;
    Anchord__V1__AddToImportResponse *resp =
        wire_new(call->region, Anchord__V1__AddToImportResponse, anchord__v1__add_to_import_response);
    struct import *im;
    struct upload *up = NULL;
    (void)plan_;
    int rc = req->name[0] ? check_name(call, "name", req->name, err) : 0;
    if (rc == 0)
        rc = resp ? import_take(core_imports(core), call, req->import_id, core_now(core), &im, err)
                  : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    rc = stage_once(u, im, req, &up, err);
    if (rc == 0)
        rc = copy_findings(call->region, up, resp);
    if (rc == 0)
        resp->acceptable = up->errors == 0;
    import_give(core_imports(core), im, false);
    *ret_resp = resp;
    return rc;
}

static int
abort_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__AbortImportRequest *req = req_;
    struct import *im;
    (void)plan_;
    int rc = import_take(core_imports(u->core), u->call, req->import_id, u->now_ms, &im, err);
    if (rc < 0)
        return rc;
    import_give(core_imports(u->core), im, true);
    *ret_resp = wire_new(u->region, Anchord__V1__AbortImportResponse, anchord__v1__abort_import_response);
    return *ret_resp ? 0 : ACD_ENOMEM;
}

/* --- commit -----------------------------------------------------------------------------------------------
 */

static int
store_one(struct unit *u, const acd_value *account, const struct upload *up,
          const Anchord__V1__CommitImportRequest *req, Anchord__V1__CommitImportResponse *resp, acd_err *err)
{
    const char *existing;
    acd_value *row;
    int rc;
    if (up->errors && !req->skip_refused)
        return upload_refuse(u->call, up, err);
    if (up->errors) {
        resp->refused++;
        return 0;
    }
    rc = req->skip_refused ? upload_duplicate(u, account, up, &existing, err) : 0;
    if (rc == ACD_EEXIST) {
        resp->duplicates++;
        return 0;
    }
    if (rc == 0)
        rc = upload_store(u, account, up, &row, &resp->quota, err);
    if (rc < 0)
        return err_context(err, rc, "'%s'", up->name);
    resp->ids[resp->n_ids++] = (char *)row_text(row, CERT_ID);
    return 0;
}

static int
commit_all(struct unit *u, const struct import *im, const Anchord__V1__CommitImportRequest *req,
           Anchord__V1__CommitImportResponse *resp, acd_err *err)
{
    acd_value *account;
    int rc = find_account(u, im->account, &account, err);
    if (rc == 0)
        rc = upload_entitled(u->call, account, err);
    if (rc < 0)
        return rc;
    resp->ids = mem_new_n(u->region, im->n, char *);
    if (!resp->ids)
        return ACD_ENOMEM;
    for (size_t i = 0; rc == 0 && i < im->n; i++)
        rc = store_one(u, account, im->uploads[i], req, resp, err);
    if (rc == 0)
        unit_note(u, row_text(account, ACCOUNT_ID), im->id,
                  mem_printf(u->region, "%zu certificates imported", resp->n_ids));
    return rc;
}

/* The import stays open when the commit fails, so that it may be tried again (after raising the limit, say).
 */
static int
commit_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CommitImportRequest *req = req_;
    Anchord__V1__CommitImportResponse *resp =
        wire_new(u->region, Anchord__V1__CommitImportResponse, anchord__v1__commit_import_response);
    struct import *im;
    (void)plan_;
    int rc =
        resp ? import_take(core_imports(u->core), u->call, req->import_id, u->now_ms, &im, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    rc = commit_all(u, im, req, resp, err);
    im->stored = rc == 0 && !u->dry;
    import_give(core_imports(u->core), im, false);
    *ret_resp = resp;
    return rc;
}

static bool
commit_dry(const void *req)
{
    return ((const Anchord__V1__CommitImportRequest *)req)->dry_run;
}

const struct op import_ops[] = {
    OP_READ("CaService/StartImport", start_apply),
    OP_READ("CaService/AddToImport", add_apply),
    OP_WRITE_DRY("CaService/CommitImport", NULL, commit_apply, commit_dry),
    OP_READ("CaService/AbortImport", abort_apply),
    {0},
};
