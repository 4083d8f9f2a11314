/*
 * The plugin ABI, version 1: descriptor, host services, configuration.
 *
 * A plugin is a shared object that exports one symbol, `acd_plugin_1`, a constant acd_plugin. It is opened
 * with RTLD_NOW | RTLD_LOCAL and never closed. The kind-specific tables are in plugin-storage.h,
 * plugin-validator.h and plugin-quota.h.
 *
 * Growth: every struct begins with its size as its author knew it; fields are only ever appended, and a
 * reader asks ACD_HAS before it touches a field that came later than 1.0. Unknown bits in the lower half of
 * `caps` are ignored, unknown bits in the upper half refuse the plugin.
 *
 * Memory: nothing allocated on one side is freed on the other. Inputs are borrowed for the call; results go
 * to the caller's buffers, or through a callback whose data lives only for that call. Handles (instance,
 * session, bundle) are returned by one function and ended by its pair.
 *
 * Threads: `thread` declares what the instance bears, the host keeps to it. A plugin keeps no writable
 * globals, starts no thread before `start`, touches no signal, calls neither exit nor setlocale, prints
 * nothing.
 *
 * Errors: 0 or a negative acd_status; acd_err.text says it to a human. Nothing may longjmp or throw across.
 */
#ifndef ANCHORD_PLUGIN_H
#define ANCHORD_PLUGIN_H

#include <anchord/types.h>

#define ACD_PLUGIN_MAJOR  1u /* also in the symbol name */
#define ACD_PLUGIN_MINOR  0u /* +1 when a field is appended */
#define ACD_PLUGIN_SYMBOL "acd_plugin_1"

/* Is field f present in *p, as the author of *p knew the struct? */
#define ACD_HAS(p, f) (offsetof(__typeof__(*(p)), f) + sizeof((p)->f) <= (p)->struct_size)

/* A call's frame: absolute monotonic deadline in nanoseconds (0: none) and the trace id to log. */
typedef struct {
    uint32_t struct_size;
    uint64_t deadline_ns;
    acd_slice trace_id;
} acd_call;

typedef struct acd_txn acd_txn;   /* the host's handle on an open storage transaction; only for the call */
typedef struct acd_host acd_host; /* lives as long as the instance; any thread may call its functions */

/* Log levels are those of syslog. */
enum acd_log_level {
    ACD_LOG_ERR = 3,
    ACD_LOG_WARNING = 4,
    ACD_LOG_NOTICE = 5,
    ACD_LOG_INFO = 6,
    ACD_LOG_DEBUG = 7
};

/* Host services. Append-only: ask ACD_HAS(host, f) for anything newer than the minor you need. */
struct acd_host {
    uint32_t struct_size, minor;
    /* event: short dotted name; fmt: printf text for humans. Never pass key material. */
    void (*log)(const acd_host *, int level, const char *event, const char *fmt, ...);
    void (*metric_add)(const acd_host *, uint32_t metric, int64_t delta);
    /* wall != 0: Unix time in ms; wall == 0: monotonic ms. Tests own this clock. */
    int64_t (*now_ms)(const acd_host *, int wall);
    /* 0, or the status code to fail with: named fault points for tests, always 0 in release builds. */
    int (*fault)(const acd_host *, const char *point);
    /* The plugin's own rows, read and written inside the transaction that is open, committed with it.
     * Keys and values are at most 255 and 4096 bytes. txn_get: ACD_ENOENT, or *ret_len (which may exceed
     * cap). */
    int (*txn_get)(acd_txn *, acd_slice key, void *buf, size_t cap, size_t *ret_len);
    int (*txn_put)(acd_txn *, acd_slice key, acd_slice val);
    /* One conditional step: counter += delta if the result lies in [lo, hi], else ACD_ELIMIT and *ret_now is
     * the unchanged value. A counter that was never written is 0. */
    int (*txn_counter_add)(acd_txn *, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now);
};

enum acd_kind { ACD_STORAGE = 1, ACD_VALIDATOR = 2, ACD_QUOTA = 3 };

/* SERIAL: the host allows one call at a time per instance. PER_SESSION: sessions run in parallel, each on one
 * thread at a time. FREE_THREADED: any call on any thread at any time. */
enum acd_thread { ACD_SERIAL = 0, ACD_PER_SESSION = 1, ACD_FREE_THREADED = 2 };

/* One configuration item. The host parses the text, checks type and [lo, hi], and hands over every item, with
 * the default where the user gave none. dflt == NULL: the user must give a value. */
enum acd_conf_type { ACD_CONF_STR = 1, ACD_CONF_INT = 2, ACD_CONF_BOOL = 3, ACD_CONF_PATH = 4 };
enum acd_conf_flag { ACD_CONF_RELOADABLE = 1u, ACD_CONF_SECRET = 2u /* never printed or logged */ };
typedef struct {
    uint32_t struct_size, type, flags;
    const char *key, *dflt, *help;
    int64_t lo, hi; /* INT: the value; STR and PATH: the length in bytes */
} acd_conf_item;

typedef struct {
    const char *key;
    acd_slice str; /* STR, PATH: NUL-terminated behind len as well */
    int64_t num;   /* INT, BOOL */
} acd_conf_val;

/*
 * The descriptor. Life cycle: conf_check (pure, any time) -> create (no I/O, no thread) -> start (may block,
 * may fail) -> [schema, for storage] -> work -> quiesce (no new work comes after it) -> destroy (from any
 * state after create, cannot fail). health is asked now and then between start and quiesce.
 *
 * name is [a-z0-9-], at most 31 bytes, and the same as in the note; version, build_id and summary are texts,
 * empty rather than NULL. conf_check, health and quiesce may be NULL; every function of the kind's table must
 * be there, but for those said to be for external quota only.
 */
typedef struct {
    uint32_t struct_size;
    uint16_t major, minor;
    uint32_t kind; /* these four protect what follows and are checked first */
    uint32_t thread;
    uint64_t caps;
    const char *name, *version, *build_id, *summary;
    const acd_conf_item *conf;
    size_t conf_n;
    int (*conf_check)(const acd_conf_val *, size_t n, acd_err *);
    int (*create)(const acd_host *, const acd_conf_val *, size_t n, void **ret_inst, acd_err *);
    int (*start)(void *inst, acd_err *);
    int (*health)(void *inst, acd_err *);
    int (*quiesce)(void *inst, uint64_t deadline_ns);
    void (*destroy)(void *inst);
    const void *ops; /* acd_storage_ops, acd_validator_ops or acd_quota_ops, by kind */
} acd_plugin;

/* The note section lets `anchorctl plugin inspect` and the loader read what a file is without running any of
 * its code: ELF section ".note.anchord", vendor "anchord", type 1, the descriptor below. */
#define ACD_NOTE_VENDOR "anchord"
#define ACD_NOTE_TYPE   1u
typedef struct {
    uint32_t namesz, descsz, type;
    char vendor[8];
    uint32_t struct_size; /* of what follows, this field included */
    uint16_t major, minor;
    uint32_t kind;
    char name[32], version[24];
} acd_note;

#define ACD_EXPORT __attribute__((visibility("default")))

/* Put once into a plugin: emits the note and the exported symbol. k, n, v must be constants. */
#define ACD_PLUGIN_DEFINE(k, n, v, ...)                                                              \
    __attribute__((used, section(".note.anchord"), aligned(4))) static const acd_note acd_note_1 = { \
        8,                                                                                           \
        sizeof(acd_note) - offsetof(acd_note, struct_size),                                          \
        ACD_NOTE_TYPE,                                                                               \
        ACD_NOTE_VENDOR,                                                                             \
        sizeof(acd_note) - offsetof(acd_note, struct_size),                                          \
        ACD_PLUGIN_MAJOR,                                                                            \
        ACD_PLUGIN_MINOR,                                                                            \
        k,                                                                                           \
        n,                                                                                           \
        v};                                                                                          \
    ACD_EXPORT extern const acd_plugin acd_plugin_1;                                                 \
    ACD_EXPORT const acd_plugin acd_plugin_1 = {.struct_size = sizeof(acd_plugin),                   \
                                                .major = ACD_PLUGIN_MAJOR,                           \
                                                .minor = ACD_PLUGIN_MINOR,                           \
                                                .kind = k,                                           \
                                                .name = n,                                           \
                                                .version = v,                                        \
                                                __VA_ARGS__}

#endif
