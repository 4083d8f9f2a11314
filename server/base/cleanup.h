/* Cleanup attributes for locals that own something. One style per function: these, or one goto label. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void
cleanup_freep(void *p)
{
    free(*(void **)p);
}

static inline void
cleanup_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define _cleanup_free_  _cleanup_(cleanup_freep)
#define _cleanup_close_ _cleanup_(cleanup_closep)

/* Takes the value out of an owning variable, so that its cleanup does nothing. */
#define TAKE_PTR(p)                 \
    ({                              \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    })
#define TAKE_FD(fd)        \
    ({                     \
        int taken_ = (fd); \
        (fd) = -1;         \
        taken_;            \
    })

/* Defines name##p(type **), for _cleanup_(name##p). */
#define DEFINE_CLEANUP(type, name)      \
    static inline void name##p(type *p) \
    {                                   \
        if (*p)                         \
            name(*p);                   \
    }

#endif
