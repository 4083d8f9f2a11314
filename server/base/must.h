/*
 * Assertions that stay on in release builds, for our own invariants only; input is never asserted.
 * Any layer, any thread.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

_Noreturn void must_fail(const char *expr, const char *file, int line, const char *func);

#define must(expr)       ((expr) ? (void)0 : must_fail(#expr, __FILE__, __LINE__, __func__))
#define must_not_reach() must_fail("unreachable", __FILE__, __LINE__, __func__)

/* Long-lived objects begin with a magic; CHECK_MAGIC turns a wild pointer into a clean stop at the first
 * touch. */
#define CHECK_MAGIC(p, m) must((p) != NULL && (p)->magic == (m))

#define ACD_MUSTCHECK    __attribute__((warn_unused_result))
#define ACD_PRINTF(f, a) __attribute__((format(printf, f, a)))

#endif
