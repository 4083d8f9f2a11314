/* Rulesets as bytes: what decodes has one encoding, the very bytes that were read, and compiling it ends. */
#include <stdint.h>

#include "base/str.h"
#include "rule/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rule_scheme *scheme;
    struct mem_region region;
    struct rule_record rec;
    struct ruleset *set = NULL;
    struct ruleset_findings findings;
    struct buf out = BUF_INIT((1 << 22));
    if (!scheme)
        must(rule_scheme_new(true, &scheme) == 0);
    mem_init(&region, 65536, 1 << 26);
    if (rule_record_body(&region, slice_of(data, size), &rec) == 0) {
        rule_record_encode(&out, &rec);
        must(!out.failed && slice_eq(slice_of(out.data + RULE_RECORD_HEAD, out.len - RULE_RECORD_HEAD),
                                     slice_of(data, size)));
        struct rule_record again;
        must(rule_record_decode(&region, slice_of(out.data, out.len), &again) == 0 && again.n == rec.n);
        if (ruleset_new(scheme, rec.id, rec.version, rec.rules, rec.n, &set, &findings) == 0)
            ruleset_free(set);
        ruleset_findings_done(&findings);
    }
    if (rule_record_decode(&region, slice_of(data, size), &rec) == 0)
        must(rec.n <= RULESET_RULES_MAX);
    buf_done(&out);
    mem_done(&region);
    return 0;
}
