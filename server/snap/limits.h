/* Bounds of an image. Any layer above may include it. */
#ifndef SNAP_LIMITS_H
#define SNAP_LIMITS_H

#include <stdint.h>

enum {
    SNAP_ID_MAX = 64,        /* bytes of a zone, account or CA id */
    SNAP_NAME_MAX = 253,     /* bytes of a host or zone name */
    SNAP_HOST_KEY_MAX = 254, /* of a host name with the kind of names it belongs to */
    SNAP_KEY_MAX = 200,      /* bytes of a blob's key */
    SNAP_TRUST_MAX = 1024,   /* certificates in one trust set */
    SNAP_CA_INDEX_MAX = 32,  /* certificates of one uploaded object */
    SNAP_SUBJECT_MAX = 4096, /* bytes of a subject's text */
    SNAP_DER_MAX = 65536,    /* bytes of one certificate */
    SNAP_BLOB_MAX = 1 << 28, /* bytes of one blob */
};

/* A writer reserves this much address space (not memory) for a file; it is the largest file there can be. */
#define SNAP_FILE_MAX (16ull << 30)
/* Below this much garbage a file is never compacted. */
#define SNAP_GARBAGE_MIN (8ull << 20)

#endif
