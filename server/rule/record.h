/*
 * A ruleset as bytes: what storage keeps and what the image holds. It carries texts, never programs: whoever
 * evaluates compiles them again, so nothing that came from a disk is ever executed.
 *
 *   "RUL1", SHA-256 over the rest, then: id, version, number of rules, the rules.
 *   Numbers are little-endian, a text is its length (4 bytes) and its bytes; length 2^32 - 1: absent.
 *
 * The form is canonical: one ruleset has one encoding, and decoding refuses every other one, so equal digests
 * mean equal rulesets. Pure functions, any thread; what decoding returns borrows the bytes, lists are in the
 * region. Errors: ACD_ECORRUPT (not such a record), ACD_ELIMIT (over RULESET_RULES_MAX), ACD_ENOMEM.
 */
#ifndef RULE_RECORD_H
#define RULE_RECORD_H

#include "base/buf.h"
#include "base/mem.h"
#include "rule/ruleset.h"

enum { RULE_RECORD_HEAD = 36, RULE_RECORD_DIGEST = 32 };

struct rule_record {
    acd_slice id;
    int64_t version;
    struct rule_in *rules;
    int64_t *updated_ms; /* of each rule */
    size_t n;
};

/* Appends to an empty out; its failure is in out->failed. */
void rule_record_encode(struct buf *out, const struct rule_record *rec);
int rule_record_decode(struct mem_region *r, acd_slice bytes, struct rule_record *ret) ACD_MUSTCHECK;
/* The same without the head: what is behind RULE_RECORD_HEAD. */
int rule_record_body(struct mem_region *r, acd_slice body, struct rule_record *ret) ACD_MUSTCHECK;

/* The digest that stands for the contents, unchecked; NULL: the bytes are too short or of another kind. */
const uint8_t *rule_record_digest(acd_slice bytes);

/* Do two rules define the same? Id, version and time do not count. */
bool rule_record_same(const struct rule_in *a, const struct rule_in *b);

#endif
