/*
 * libmicrohttpd does the protocol with one epoll thread. A request that is complete suspends its connection
 * and goes to the workers' queue; the worker leaves the reply in it and resumes the connection.
 *
 * The library's own time-out starts anew with each byte. So every connection carries a deadline for what it
 * does now (sending a head, sending a body, taking a reply), and a thread that looks at all of them shuts
 * down the sockets of those that are late.
 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/queue.h"
#include "base/str.h"
#include "base/thread.h"
#include "gzip.h"
#include "listen.h"
#include "tls.h"

enum {
    REGION_BLOCK = 8192,
    REGION_LIMIT = 64 << 20,
    HEAD_BYTES = 32768, /* a request's head, and what the library needs to send the reply's */
    SWEEP_MS = 100,
    GZIP_FROM = 1024, /* bytes of a body below which compression costs more than it saves */
    MS = 1000000,
};

enum state { NEW, BODY, RUNNING, ANSWERED };

/* One request. */
struct task {
    struct http_request req;
    struct http_reply rep;
    struct mem_region region;
    struct buf body;
    enum state state;
    struct http *http;
    struct MHD_Connection *mc;
    struct task *next;
};

/* One connection; under the lock of its http. */
struct http_conn {
    struct MHD_Connection *mc;
    int fd;
    uint64_t deadline_ns; /* 0: none */
    char remote[INET6_ADDRSTRLEN];
    struct http_conn *prev, *next;
};

struct http {
    struct http_opts opts;
    struct MHD_Daemon *daemon;
    int listen_fd;
    char address[LISTEN_TEXT_MAX];
    struct queue queue;
    struct thread *workers;
    uint32_t n_workers;
    struct thread sweeper;
    bool has_sweeper, has_queue;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a request ended, or it is time to stop */
    struct http_conn *conns;
    uint32_t n_conns, n_active;
    uint64_t n_cut;
    bool draining, stopping;
};

static uint64_t
now_ns(void)
{
    return clock_mono_ns(&clock_system);
}

/* --- connections ------------------------------------------------------------------------------------------
 */

static void
conn_deadline(struct http *h, struct http_conn *c, uint32_t ms)
{
    (void)pthread_mutex_lock(&h->lock);
    c->deadline_ns = ms ? now_ns() + (uint64_t)ms * MS : 0;
    (void)pthread_mutex_unlock(&h->lock);
}

static void
conn_address(struct http_conn *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *sa = info ? info->client_addr : NULL;
    const void *addr = NULL;
    if (sa && sa->sa_family == AF_INET)
        addr = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
    else if (sa && sa->sa_family == AF_INET6)
        addr = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    if (!addr || !inet_ntop(sa->sa_family, addr, c->remote, sizeof(c->remote)))
        (void)snprintf(c->remote, sizeof(c->remote), sa && sa->sa_family == AF_UNIX ? "unix" : "unknown");
}

static void
conn_open(struct http *h, struct MHD_Connection *mc, void **context)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_conn *c = calloc(1, sizeof(*c));
    *context = c;
    if (!c)
        return; /* its requests are refused */
    c->mc = mc;
    c->fd = info ? info->connect_fd : -1;
    conn_address(c);
    (void)pthread_mutex_lock(&h->lock);
    c->next = h->conns;
    if (c->next)
        c->next->prev = c;
    h->conns = c;
    h->n_conns++;
    c->deadline_ns = now_ns() + (uint64_t)h->opts.timeout_ms * MS;
    (void)pthread_mutex_unlock(&h->lock);
}

/* The library closes the socket after this, so the sweeper never shuts down somebody else's. */
static void
conn_close(struct http *h, struct http_conn *c)
{
    if (!c)
        return;
    (void)pthread_mutex_lock(&h->lock);
    if (c->prev)
        c->prev->next = c->next;
    else
        h->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    h->n_conns--;
    (void)pthread_mutex_unlock(&h->lock);
    free(c);
}

static void
on_connection(void *cls, struct MHD_Connection *mc, void **context, enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_open(cls, mc, context);
    } else {
        conn_close(cls, *context);
        *context = NULL;
    }
}

static struct http_conn *
conn_of(struct MHD_Connection *mc)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void
sweep(void *arg)
{
    struct http *h = arg;
    (void)pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        struct timespec ts;
        uint64_t now = now_ns(), until = now + (uint64_t)SWEEP_MS * MS;
        for (struct http_conn *c = h->conns; c; c = c->next)
            if (c->deadline_ns && c->deadline_ns <= now && c->fd >= 0) {
                (void)shutdown(c->fd, SHUT_RDWR);
                c->deadline_ns = 0;
                h->n_cut++;
            }
        ts = (struct timespec){.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
        (void)pthread_cond_timedwait(&h->changed, &h->lock, &ts);
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* --- requests ---------------------------------------------------------------------------------------------
 */

const char *
http_header_of(const struct http_request *req, const char *name)
{
    return MHD_lookup_connection_value(req->conn->mc, MHD_HEADER_KIND, name);
}

/* One name among all headers. */
struct seek {
    const char *name, *value;
    unsigned n;
};

static enum MHD_Result
seek_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct seek *s = arg;
    (void)kind;
    if (strcasecmp(name, s->name) == 0) {
        s->value = value ? value : "";
        s->n++;
    }
    return MHD_YES;
}

bool
http_header_once(const struct http_request *req, const char *name, const char **ret)
{
    struct seek s = {.name = name};
    (void)MHD_get_connection_values(req->conn->mc, MHD_HEADER_KIND, seek_header, &s);
    *ret = s.value;
    return s.n <= 1;
}

void
http_reply_header(struct http_reply *rep, const char *name, const char *value)
{
    if (!value || rep->n_headers == HTTP_HEADERS)
        return;
    rep->headers[rep->n_headers].name = name;
    rep->headers[rep->n_headers++].value = value;
}

/* The first that is heard of a request: its target, before the library decodes it. */
static void *
on_target(void *cls, const char *target, struct MHD_Connection *mc)
{
    struct http *h = cls;
    struct http_conn *c = conn_of(mc);
    struct task *t = c ? calloc(1, sizeof(*t)) : NULL;
    if (!t)
        return NULL;
    mem_init(&t->region, REGION_BLOCK, REGION_LIMIT);
    t->http = h;
    t->mc = mc;
    t->body = (struct buf)BUF_INIT(h->opts.max_body);
    t->req = (struct http_request){.region = &t->region, .remote = c->remote, .conn = c};
    t->req.target = mem_slice(&t->region, slice_str(target));
    if (!t->req.target.ptr) {
        mem_done(&t->region);
        free(t);
        return NULL;
    }
    return t;
}

static void
on_completed(void *cls, struct MHD_Connection *mc, void **req_cls, enum MHD_RequestTerminationCode how)
{
    struct http *h = cls;
    struct task *t = *req_cls;
    *req_cls = NULL;
    (void)mc;
    if (!t)
        return;
    if (t->state != NEW) {
        h->opts.done(h->opts.ctx, &t->req, &t->rep, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
        (void)pthread_mutex_lock(&h->lock);
        h->n_active--;
        t->req.conn->deadline_ns = now_ns() + (uint64_t)h->opts.timeout_ms * MS;
        (void)pthread_cond_broadcast(&h->changed);
        (void)pthread_mutex_unlock(&h->lock);
    }
    if (t->body.data)
        wipe(t->body.data, t->body.cap);
    buf_done(&t->body);
    mem_done(&t->region);
    free(t);
}

/* --- replies ----------------------------------------------------------------------------------------------
 */

static void
add_header(struct MHD_Response *r, const char *name, const char *value)
{
    (void)MHD_add_response_header(r, name, value); /* without memory, the reply goes without it */
}

static enum MHD_Result
send_reply(struct task *t)
{
    struct http_reply *rep = &t->rep;
    acd_slice body = rep->body;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    if (rep->type)
        add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, rep->type);
    for (size_t i = 0; i < rep->n_headers; i++)
        add_header(r, rep->headers[i].name, rep->headers[i].value);
    (void)pthread_mutex_lock(&t->http->lock);
    bool draining = t->http->draining;
    (void)pthread_mutex_unlock(&t->http->lock);
    if (draining)
        add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    t->state = ANSWERED;
    conn_deadline(t->http, t->req.conn, t->http->opts.timeout_ms);
    enum MHD_Result rc = MHD_queue_response(t->mc, rep->status, r);
    MHD_destroy_response(r);
    return rc;
}

/* Compressed where the client takes that and it is worth it. */
static void
compress(struct task *t)
{
    struct http_reply *rep = &t->rep;
    if (rep->body.len < GZIP_FROM)
        return;
    http_reply_header(rep, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (!gzip_accepted(http_header_of(&t->req, MHD_HTTP_HEADER_ACCEPT_ENCODING)))
        return;
    acd_slice packed = gzip_pack(&t->region, rep->body);
    if (!packed.ptr || rep->n_headers == HTTP_HEADERS)
        return;
    rep->body = packed;
    http_reply_header(rep, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

static void
work(void *arg)
{
    struct http *h = arg;
    struct task *t;
    while ((t = queue_take(&h->queue))) {
        h->opts.handle(h->opts.ctx, &t->req, &t->rep);
        compress(t);
        MHD_resume_connection(t->mc); /* t may be gone from here on */
    }
}

static enum MHD_Result
refuse(struct task *t, enum http_refusal why)
{
    t->http->opts.refuse(t->http->opts.ctx, &t->req, &t->rep, why);
    return send_reply(t);
}

struct framing {
    unsigned lengths, codings;
    bool odd;
};

static enum MHD_Result
see_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct framing *f = cls;
    (void)kind;
    f->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
        f->codings++;
        f->odd |= !value || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

/* One length, or one coding that is `chunked`, or neither: else a proxy before us may see other requests. */
static bool
is_framed(struct task *t)
{
    struct framing f = {0};
    (void)MHD_get_connection_values(t->mc, MHD_HEADER_KIND, see_header, &f);
    return f.lengths + f.codings <= 1 && !f.odd;
}

static enum MHD_Result
take_head(struct task *t, const char *method)
{
    struct http *h = t->http;
    uint64_t length = 0;
    t->req.method = mem_strdup(&t->region, method);
    t->req.began_ns = now_ns();
    t->state = BODY;
    (void)pthread_mutex_lock(&h->lock);
    h->n_active++;
    (void)pthread_mutex_unlock(&h->lock);
    conn_deadline(h, t->req.conn, h->opts.timeout_ms);
    if (!t->req.method)
        return MHD_NO;
    if (!is_framed(t))
        return refuse(t, HTTP_FRAMING);
    const char *text = http_header_of(&t->req, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (text && (!str_u64(slice_str(text), &length) || length > h->opts.max_body))
        return refuse(t, HTTP_BODY_TOO_LONG);
    return MHD_YES;
}

/* More than fits is read no further than the library has it at hand: the reply cannot be sent before. */
static enum MHD_Result
take_body(struct task *t, const char *data, size_t *len)
{
    buf_put(&t->body, data, *len);
    *len = 0;
    return t->body.failed && t->body.failed != ACD_ELIMIT ? MHD_NO : MHD_YES;
}

static enum MHD_Result
dispatch(struct task *t)
{
    struct http *h = t->http;
    if (t->body.failed)
        return refuse(t, HTTP_BODY_TOO_LONG);
    t->req.body = slice_of(t->body.data, t->body.len);
    t->state = RUNNING;
    conn_deadline(h, t->req.conn, 0);
    /* Suspended first: a worker may be done before queue_put returns. */
    MHD_suspend_connection(t->mc);
    if (queue_put(&h->queue, t))
        return MHD_YES;
    h->opts.refuse(h->opts.ctx, &t->req, &t->rep, HTTP_OVERLOADED);
    MHD_resume_connection(t->mc);
    return MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *mc, const char *url, const char *method, const char *version,
           const char *data, size_t *len, void **req_cls)
{
    struct task *t = *req_cls;
    (void)cls;
    (void)mc;
    (void)url;
    (void)version;
    if (!t)
        return MHD_NO;
    switch (t->state) {
    case NEW:
        return take_head(t, method);
    case BODY:
        return *len ? take_body(t, data, len) : dispatch(t);
    case RUNNING:
        return send_reply(t);
    case ANSWERED: /* what is left of a body that was refused */
        *len = 0;
        return MHD_YES;
    }
    return MHD_NO;
}

/* --- start and stop ---------------------------------------------------------------------------------------
 */

/* Targets are decoded by us: the library must leave them as they are. */
static size_t
keep_escapes(void *cls, struct MHD_Connection *mc, char *s)
{
    (void)cls;
    (void)mc;
    return strlen(s);
}

static int
start_daemon(struct http *h, acd_err *err)
{
    const struct http_opts *o = &h->opts;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (h->address[0] == '[' ? MHD_USE_IPv6 : 0u) | (o->tls ? MHD_USE_TLS : 0u);
    struct MHD_OptionItem tls[] = {
        {o->tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0, (void *)tls_certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, h->listen_fd,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, h, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_CONNECTION_LIMIT, o->max_conns, MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_conns_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    return h->daemon ? 0 : err_set(err, ACD_EIO, "%s: the HTTP server does not start", o->listen);
}

static int
start_threads(struct http *h)
{
    int rc = queue_init(&h->queue, h->opts.queue);
    h->has_queue = rc == 0;
    h->workers = calloc(h->opts.workers, sizeof(*h->workers));
    if (rc == 0 && !h->workers)
        rc = ACD_ENOMEM;
    for (; rc == 0 && h->n_workers < h->opts.workers; h->n_workers += rc == 0)
        rc = thread_start(&h->workers[h->n_workers], "http-work", work, h);
    if (rc == 0) {
        rc = thread_start(&h->sweeper, "http-sweep", sweep, h);
        h->has_sweeper = rc == 0;
    }
    return rc;
}

int
http_start(const struct http_opts *opts, struct http **ret, acd_err *err)
{
    pthread_condattr_t attr;
    struct http *h = calloc(1, sizeof(*h));
    if (!h)
        return err_set(err, ACD_ENOMEM, "out of memory");
    h->opts = *opts;
    h->listen_fd = -1;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&h->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    /* Before the threads: the first request may ask for it. */
    *ret = h;
    int rc = listen_on(opts->listen, &h->listen_fd, h->address, err);
    if (rc == 0 && (rc = start_threads(h)) < 0)
        (void)err_set(err, rc, "threads cannot be started");
    if (rc == 0)
        rc = start_daemon(h, err);
    if (rc < 0) {
        http_stop(h, 0);
        *ret = NULL;
    }
    return rc;
}

const char *
http_address(const struct http *h)
{
    return h->address;
}

void
http_count(struct http *h, struct http_counts *ret)
{
    (void)pthread_mutex_lock(&h->lock);
    *ret = (struct http_counts){.conns = h->n_conns, .active = h->n_active, .cut = h->n_cut};
    (void)pthread_mutex_unlock(&h->lock);
    ret->queued = (uint32_t)queue_len(&h->queue);
}

/* Every request whose head is here gets its answer; who does not send or take it in time is cut. */
static void
drain(struct http *h, uint32_t drain_ms)
{
    uint64_t until = now_ns() + (uint64_t)drain_ms * MS;
    struct timespec ts = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
    (void)pthread_mutex_lock(&h->lock);
    h->draining = true;
    while (h->n_active > 0 && pthread_cond_timedwait(&h->changed, &h->lock, &ts) != ETIMEDOUT)
        ;
    (void)pthread_mutex_unlock(&h->lock);
}

static void
stop_threads(struct http *h)
{
    if (h->has_queue)
        queue_close(&h->queue); /* workers finish what is in it, so that nothing is suspended any more */
    for (uint32_t i = 0; i < h->n_workers; i++)
        thread_join(&h->workers[i]);
    (void)pthread_mutex_lock(&h->lock);
    h->stopping = true;
    (void)pthread_cond_broadcast(&h->changed);
    (void)pthread_mutex_unlock(&h->lock);
    if (h->has_sweeper)
        thread_join(&h->sweeper);
}

void
http_stop(struct http *h, uint32_t drain_ms)
{
    if (!h)
        return;
    if (h->daemon) {
        /* What comes from now on finds nobody, rather than a queue that nobody looks at. */
        (void)MHD_quiesce_daemon(h->daemon);
        /* The daemon's thread may use the descriptor until it has ended: it is closed below. */
        (void)shutdown(h->listen_fd, SHUT_RDWR);
        drain(h, drain_ms);
    }
    stop_threads(h);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    if (h->listen_fd >= 0)
        (void)close(h->listen_fd);
    if (h->has_queue)
        queue_done(&h->queue);
    (void)pthread_cond_destroy(&h->changed);
    (void)pthread_mutex_destroy(&h->lock);
    free(h->workers);
    free(h);
}
