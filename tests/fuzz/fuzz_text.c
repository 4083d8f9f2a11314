/*
 * Text primitives of base/str.h. The first byte chooses the primitive, the rest is its input; what decodes
 * must encode back to the same text or value.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_base64(acd_slice text)
{
    uint8_t *raw = malloc(text.len / 4 * 3 + 1);
    char *back = malloc(BASE64_LEN(text.len) + 1);
    size_t len = 0;
    must(raw && back);
    if (base64_decode(text, raw, &len)) {
        must(len <= text.len / 4 * 3);
        must(base64_encode(raw, len, back) == text.len && memcmp(back, text.ptr, text.len) == 0);
    }
    size_t n = base64_encode(text.ptr, text.len, back);
    uint8_t *again = malloc(n / 4 * 3 + 1);
    must(again && base64_decode(slice_of(back, n), again, &len));
    must(len == text.len && memcmp(again, text.ptr, len) == 0);
    free(again);
    free(back);
    free(raw);
}

static void
try_time(acd_slice text)
{
    int64_t ms = 0, again = 0;
    char out[TIME_TEXT_MAX];
    if (time_parse(text, &ms)) {
        time_format(ms, out);
        must(time_parse(slice_str(out), &again) && again == ms);
    }
    if (text.len >= sizeof(ms)) {
        memcpy(&ms, text.ptr, sizeof(ms));
        time_format(ms, out);
        must(time_parse(slice_str(out), &again));
    }
}

static void
try_numbers(acd_slice text)
{
    uint64_t u;
    int64_t i;
    bool is_unsigned = str_u64(text, &u);
    if (str_i64(text, &i))
        must(i < 0 || *(const char *)text.ptr == '-' || (is_unsigned && u == (uint64_t)i));
}

static void
try_hex(acd_slice text)
{
    size_t len = text.len / 2;
    uint8_t *raw = malloc(len + 1);
    char *back = malloc(2 * len + 1);
    must(raw && back);
    if (hex_decode(text, raw, len)) {
        hex_encode(raw, len, back);
        uint8_t *again = malloc(len + 1);
        must(again && hex_decode(slice_of(back, 2 * len), again, len) && memcmp(again, raw, len) == 0);
        free(again);
    }
    free(back);
    free(raw);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    acd_slice text = slice_of(data + 1, size - 1);
    switch (data[0]) {
    case 'b':
        try_base64(text);
        break;
    case 't':
        try_time(text);
        break;
    case 'n':
        try_numbers(text);
        break;
    case 'x':
        try_hex(text);
        break;
    default:
        (void)utf8_valid(text);
    }
    return 0;
}
