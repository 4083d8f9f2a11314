#include "wire/sp.h"

#include <string.h>

#include <anchord/status.h>

enum { IPC_MESSAGE = 1, LAST_ID = 0x80 };

void
sp_hello_write(uint16_t protocol, uint8_t out[SP_HELLO])
{
    const uint8_t hello[SP_HELLO] = {0, 'S', 'P', 0, (uint8_t)(protocol >> 8), (uint8_t)protocol, 0, 0};
    memcpy(out, hello, SP_HELLO);
}

int
sp_hello_check(const uint8_t in[SP_HELLO], uint16_t protocol)
{
    uint8_t want[SP_HELLO];
    sp_hello_write(protocol, want);
    return memcmp(in, want, SP_HELLO) == 0 ? 0 : ACD_EINVAL;
}

size_t
sp_head_size(enum sp_framing f)
{
    return f == SP_IPC ? SP_HEAD_MAX : SP_HEAD_MAX - 1;
}

void
sp_head_write(enum sp_framing f, uint64_t len, uint8_t *out)
{
    if (f == SP_IPC)
        *out++ = IPC_MESSAGE;
    for (int shift = 56; shift >= 0; shift -= 8)
        *out++ = (uint8_t)(len >> shift);
}

int
sp_head_parse(enum sp_framing f, const uint8_t *in, uint64_t *ret_len)
{
    if (f == SP_IPC && *in++ != IPC_MESSAGE)
        return ACD_EINVAL;
    uint64_t len = 0;
    for (int i = 0; i < 8; i++)
        len = len << 8 | in[i];
    *ret_len = len;
    return 0;
}

int
sp_stack_parse(acd_slice msg, size_t *ret_len)
{
    const uint8_t *p = msg.ptr;
    for (size_t at = 0; at < SP_STACK_MAX; at += SP_ID) {
        if (msg.len - at < SP_ID)
            return ACD_EINVAL;
        if (p[at] & LAST_ID) {
            *ret_len = at + SP_ID;
            return 0;
        }
    }
    return ACD_ELIMIT;
}
