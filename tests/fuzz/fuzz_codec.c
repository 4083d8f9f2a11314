/* The codec and protobuf-c say the same about any bytes. The first byte chooses the message. */
#include <stdint.h>

#include "lib/codec_agrees.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = 0;
    if (size == 0)
        return 0;
    while (codec_type_at(n))
        n++;
    (void)codec_agrees(codec_type_at(data[0] % n), slice_of(data + 1, size - 1), 64);
    return 0;
}
