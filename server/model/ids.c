#include "model/ids.h"

#include <stdint.h>
#include <string.h>

#include "base/rand.h"
#include "base/str.h"

void
id_new_hex(char out[ID_HEX_LEN + 1])
{
    uint8_t b[ID_HEX_LEN / 2];
    rand_bytes(b, sizeof(b));
    hex_encode(b, sizeof(b), out);
}

void
id_new_uuid(char out[ID_UUID_LEN + 1])
{
    uint8_t b[16];
    char hex[33];
    rand_bytes(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    hex_encode(b, sizeof(b), hex);
    static const uint8_t groups[] = {8, 4, 4, 4, 12};
    char *o = out;
    const char *h = hex;
    for (size_t i = 0; i < sizeof(groups); i++) {
        if (i)
            *o++ = '-';
        memcpy(o, h, groups[i]);
        o += groups[i];
        h += groups[i];
    }
    *o = '\0';
}

static bool
is_lower_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool
id_is_hex(acd_slice s)
{
    const char *p = s.ptr;
    for (size_t i = 0; i < s.len; i++)
        if (!is_lower_hex(p[i]))
            return false;
    return s.len == ID_HEX_LEN;
}

bool
id_is_uuid(acd_slice s)
{
    const char *p = s.ptr;
    if (s.len != ID_UUID_LEN)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? p[i] != '-' : !is_lower_hex(p[i]))
            return false;
    }
    return true;
}
