/*
 * Every bound of the Rules language. Anyone may include it. Sources: the documented limits of the phase
 * (text, regular expressions), the public engine's defaults (nesting, hashes, compiled size), our own for the
 * rest.
 */
#ifndef RULE_LIMITS_H
#define RULE_LIMITS_H

enum {
    RULE_TEXT_MAX = 4096,          /* bytes of one expression */
    RULE_DEPTH_MAX = 128,          /* open `(`, `not`, calls, `any`/`all` */
    RULE_REGEX_MAX = 64,           /* regular expressions in one expression */
    RULE_HASHES_MAX = 255,         /* `#` of a raw string */
    RULE_TYPE_DEPTH_MAX = 32,      /* layers of Array and Map */
    RULE_ERRORS_MAX = 32,          /* errors reported by one run */
    RULE_MESSAGE_MAX = 160,        /* text of one error, with its NUL */
    RULE_FIELDS_MAX = 1024,        /* fields of a scheme */
    RULE_NAME_MAX = 128,           /* name of a field or a list */
    RULE_LISTS_MAX = 4096,         /* named lists of a scheme */
    RULE_LIST_ITEMS_MAX = 1000000, /* items of a named list */
    RULE_CALL_ARGS_MAX = 16,       /* arguments of one call */
    RULE_JSON_DEPTH_MAX = 64,      /* nesting of a JSON text that lookup_json_* reads */
    RULE_DECODE_ROUNDS_MAX = 16,   /* rounds of url_decode with option `r` */

    RULE_REGEX_DEPTH_MAX = 250,     /* nesting of groups and classes inside a pattern */
    RULE_REGEX_STATES_MAX = 250000, /* states of a compiled pattern: about 10 MiB in the public engine */

    RULE_STEPS_MAX = 4000000,      /* budget of one evaluation, in steps; see vm.h */
    RULE_SCRATCH_DEFAULT = 262144, /* bytes for what functions produce in one evaluation */

    RULESET_RULES_MAX = 1000,       /* rules of one ruleset */
    RULESET_CONTENT_MAX = 2048,     /* bytes of a block response's content */
    RULESET_TEXT_MAX = 500,         /* bytes of a rule's description */
    RULESET_REF_MAX = 128,          /* bytes of a rule's ref */
    RULESET_SKIP_RULESETS_MAX = 64, /* entries of a skip rule's lists */
    RULESET_FINDINGS_MAX = 1000,    /* findings of one validation */
};

#endif
