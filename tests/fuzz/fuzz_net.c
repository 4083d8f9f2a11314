/* Ranges of addresses: what is accepted holds its own address, and no other once it is narrowed to one. */
#include <stdint.h>

#include "base/str.h"
#include "model/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_err err = ACD_ERR_INIT;
    struct net_range range;
    struct net_addr addr;
    acd_slice text = slice_of(data, size);
    bool is_addr = net_addr_parse(text, &addr);
    if (net_range_parse(text, &range, &err) < 0) {
        must(!is_addr && err.text[0] != '\0');
        return 0;
    }
    must(range.bits <= 128 && net_range_has(&range, &range.addr));
    if (is_addr) {
        must(range.bits == 128 && net_range_has(&range, &addr));
        addr.b[15] ^= 1;
        must(!net_range_has(&range, &addr));
    }
    return 0;
}
