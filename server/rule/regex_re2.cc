// RE2 behind three C functions; no exception leaves this file.
#include "rule/regex_re2.h"

#include <cstdio>
#include <memory>

#include <re2/re2.h>

extern "C" void *
regex_re2_new(const char *pattern, size_t len, int64_t memory, char *message, size_t message_len)
{
    try {
        RE2::Options options;
        options.set_encoding(RE2::Options::EncodingLatin1);
        options.set_log_errors(false);
        options.set_never_capture(true);
        options.set_max_mem(memory);
        std::unique_ptr<RE2> re(new RE2(re2::StringPiece(pattern, len), options));
        if (re->ok())
            return re.release();
        snprintf(message, message_len, "the pattern cannot be compiled: %.80s", re->error().c_str());
    } catch (...) {
        snprintf(message, message_len, "out of memory");
    }
    return nullptr;
}

extern "C" bool
regex_re2_match(const void *re, const void *p, size_t len)
{
    try {
        re2::StringPiece text(static_cast<const char *>(p), len);
        return static_cast<const RE2 *>(re)->Match(text, 0, len, RE2::UNANCHORED, nullptr, 0);
    } catch (...) {
        return false;
    }
}

extern "C" void
regex_re2_free(void *re)
{
    delete static_cast<RE2 *>(re);
}
