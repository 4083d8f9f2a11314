/* Plugin files: whatever the bytes are, they are refused or give a name and a version that may be printed. */
#include <stdint.h>
#include <string.h>

#include "plug/meta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_err err = ACD_ERR_INIT;
    struct plug_meta meta;
    int rc = plug_meta_parse((acd_slice){data, size}, &meta, &err);
    must(rc == 0 || (rc == ACD_EABI && err.text[0]));
    if (rc == 0) {
        must(plug_name_valid(meta.name));
        must(strnlen(meta.version, sizeof(meta.version)) < sizeof(meta.version) && meta.version[0]);
    }
    return 0;
}
