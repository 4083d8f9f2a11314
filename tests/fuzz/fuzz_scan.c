/* Requests: what the scan lets through, protobuf-c decodes, within the memory that the scan foretold; and
 * what is packed again passes the scan again. The first byte chooses the method. */
#include <stdint.h>

#include "wire/rpc.h"
#include "wire/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
method_count(void)
{
    size_t n = 0;
    while (rpc_method_at(n))
        n++;
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct rpc_method *m = rpc_method_at(data[0] % method_count());
    acd_slice raw = slice_of(data + 1, size - 1), packed;
    struct scan_result seen;
    struct scan_bounds bounds = scan_default;
    struct mem_region r, out;
    void *req = NULL;
    bounds.batch = m->batch;
    if (scan_message(m->request, raw, &bounds, &seen, NULL) < 0)
        return 0;
    mem_init(&r, seen.memory, seen.memory);
    must(wire_unpack_batch(&r, m->request, raw, m->batch, &req, NULL) == 0);
    mem_init(&out, 4096, LIMIT_REGION);
    if (wire_pack(&out, req, &packed, NULL) == 0)
        must(scan_message(m->request, packed, &bounds, &seen, NULL) == 0 && !seen.unknown);
    mem_done(&out);
    mem_done(&r);
    return 0;
}
