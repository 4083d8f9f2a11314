/*
 * Every bound of the product, one row each: X(name, value, unit, what it bounds).
 * The manual's table and the boundary tests are made from this list.
 */
#ifndef MODEL_LIMITS_H
#define MODEL_LIMITS_H

#define LIMITS_MAP(X)                                                                                \
    /* messages */                                                                                   \
    X(LIMIT_MESSAGE, 2097152, "bytes", "one message on the bus, envelope included")                  \
    X(LIMIT_MESSAGE_HARD, 4194304, "bytes", "a message that ends the connection")                    \
    X(LIMIT_DECODED, 8388608, "bytes", "memory of one decoded message")                              \
    X(LIMIT_FIELDS, 32, "fields", "one message type of the contract")                                \
    X(LIMIT_DETAILS, 256, "details", "one error reply")                                              \
    X(LIMIT_REGION, 16777216, "bytes", "memory of one request")                                      \
    X(LIMIT_DEPTH, 12, "levels", "nesting of protobuf messages")                                     \
    X(LIMIT_REPEATED, 4096, "elements", "one repeated field")                                        \
    X(LIMIT_METHOD, 128, "bytes", "method name")                                                     \
    X(LIMIT_REQUEST_ID, 32, "bytes", "request id")                                                   \
    X(LIMIT_METADATA, 16, "entries", "metadata of a call")                                           \
    X(LIMIT_METADATA_KEY, 64, "bytes", "one metadata key")                                           \
    X(LIMIT_METADATA_VALUE, 4096, "bytes", "one metadata value")                                     \
    X(LIMIT_IDEM_KEY, 64, "bytes", "idempotency key")                                                \
    X(LIMIT_TIMEOUT_MS, 600000, "ms", "timeout a caller may ask for")                                \
    X(LIMIT_TIMEOUT_DEFAULT_MS, 10000, "ms", "timeout of a call that names none")                    \
    X(LIMIT_BATCH_TRUST, 1024, "questions", "GetTrust batch")                                        \
    X(LIMIT_BATCH_VERIFY, 256, "questions", "VerifyClient or VerifyOrigin batch")                    \
    X(LIMIT_BATCH_EVALUATE, 256, "questions", "Evaluate batch")                                      \
    X(LIMIT_PAGE, 1000, "rows", "largest page of a list")                                            \
    X(LIMIT_PAGE_DEFAULT, 50, "rows", "page of a list that names no size")                           \
    /* the bus */                                                                                    \
    X(LIMIT_CONNS, 1024, "connections", "open on the bus at once")                                   \
    X(LIMIT_CONN_CALLS, 128, "calls", "in flight on one connection")                                 \
    X(LIMIT_WORKERS, 64, "threads", "one pool of workers")                                           \
    X(LIMIT_QUERY_QUEUE, 512, "calls", "edge queries that wait for a worker")                        \
    X(LIMIT_ADMIN_QUEUE, 64, "calls", "admin calls that wait for a worker")                          \
    X(LIMIT_SEND_MS, 5000, "ms", "a reply that is not taken costs the connection")                   \
    X(LIMIT_PROMPT, 16384, "bytes", "a question that may be answered where it was read")             \
    X(LIMIT_HELLO_MS, 5000, "ms", "a new connection that does not say what it is")                   \
    X(LIMIT_RECV_MS, 10000, "ms", "a message that was begun comes to its end")                       \
    X(LIMIT_HELLOS, 128, "connections", "that have not said what they are")                          \
    X(LIMIT_CONN_UNSENT, 33554432, "bytes", "replies that wait on one connection")                   \
    X(LIMIT_UNSENT, 268435456, "bytes", "replies that wait on all connections")                      \
    X(LIMIT_RETRY_AFTER_MS, 20, "ms", "hint of a queue that is full")                                \
    X(LIMIT_LISTENERS, 16, "URLs", "listened on by one server")                                      \
    X(LIMIT_CLIENT_CALLS, 1024, "calls", "in flight of one client, late ones included")              \
    X(LIMIT_CLIENT_RETRIES, 4, "retries", "of one call")                                             \
    X(LIMIT_CLIENT_CONNECT_MS, 1000, "ms", "a client waits for a server to be there")                \
    /* certificates */                                                                               \
    X(LIMIT_UPLOAD, 65536, "bytes", "PEM text of one upload")                                        \
    X(LIMIT_UPLOAD_CERTS, 32, "certificates", "one upload")                                          \
    X(LIMIT_CERT_DER, 16384, "bytes", "one certificate")                                             \
    X(LIMIT_SUBJECT, 4096, "bytes", "subject of a CA, written as text")                              \
    X(LIMIT_CHAIN, 17, "certificates", "chain of one question: leaf and 16 intermediates")           \
    X(LIMIT_CHAIN_BYTES, 65536, "bytes", "chain of one question")                                    \
    X(LIMIT_KEY_PEM, 16384, "bytes", "private key of an upload")                                     \
    X(LIMIT_CSR, 16384, "bytes", "certificate signing request")                                      \
    X(LIMIT_MANAGED_CERTS, 8, "certificates", "of a managed CA that are trusted at once")            \
    X(LIMIT_CLIENT_CERT_DAYS, 5475, "days", "validity of a client certificate")                      \
    X(LIMIT_IMPORT_OBJECTS, 10000, "objects", "one import")                                          \
    X(LIMIT_IMPORTS, 16, "imports", "imports that are open at once")                                 \
    X(LIMIT_IMPORT_IDLE_MS, 300000, "ms", "an import without activity is dropped")                   \
    X(LIMIT_CRL, 67108864, "bytes", "one revocation list")                                           \
    X(LIMIT_CRL_PART, 1048576, "bytes", "one part of it on the bus")                                 \
    X(LIMIT_CRL_UPLOADS, 4, "uploads", "revocation lists that are being sent at once")               \
    X(LIMIT_CRL_IDLE_MS, 300000, "ms", "an upload without activity is dropped")                      \
    /* names */                                                                                      \
    X(LIMIT_NAME, 255, "bytes", "name of an account or a certificate")                               \
    X(LIMIT_HOST, 253, "bytes", "host name in A-label form")                                         \
    X(LIMIT_LABEL, 63, "bytes", "label of a host name")                                              \
    X(LIMIT_HOST_TEXT, 1024, "bytes", "host name as sent, before normalising")                       \
    /* associations */                                                                               \
    X(LIMIT_HOSTS_CHANGE, 4096, "hosts", "one change of a list of hosts")                            \
    X(LIMIT_HOSTS_REPLY, 1000, "hosts", "a list that the reply to a change of it repeats")           \
    X(LIMIT_CAS_PER_HOST, 100, "CAs", "associated with one host")                                    \
    X(LIMIT_PRIORITY, 1000000, "", "largest priority of a CA on a host")                             \
    X(LIMIT_CERTS_PER_HOST, 1024, "certificates", "of all CAs of one host, bundles counted in full") \
    /* origin trust and Access */                                                                    \
    X(LIMIT_ORIGIN_ENTRIES, 100, "CAs", "custom origin trust store of one zone")                     \
    X(LIMIT_ROOTS_FILE, 8388608, "bytes", "file of the public roots")                                \
    X(LIMIT_ROOTS, 4096, "certificates", "file of the public roots")                                 \
    X(LIMIT_ACCESS_HOSTS, 1000, "hosts", "associated with one Access CA")                            \
    X(LIMIT_ACCESS_SETTINGS, 1000, "hosts", "Access settings of one account")                        \
    /* rules */                                                                                      \
    X(LIMIT_RULES, 1000, "rules", "ruleset of a zone")                                               \
    X(LIMIT_RULES_BYTES, 1048576, "bytes", "ruleset of a zone, as it is stored")                     \
    X(LIMIT_RULES_VERSIONS, 50, "versions", "earlier versions kept of a ruleset")                    \
    X(LIMIT_EVALUATE_FIELDS, 256, "fields", "values of one question")                                \
    X(LIMIT_EVALUATE_ELEMENTS, 16384, "elements", "of the values derived from one field")            \
    X(LIMIT_EXPLAIN, 262144, "bytes", "explanation of one answer, text or JSON")                     \
    /* tokens */                                                                                     \
    X(LIMIT_TOKENS, 1000, "tokens", "of one account")                                                \
    X(LIMIT_TOKEN_ZONES, 100, "zones", "that one token is narrowed to")                              \
    X(LIMIT_TOKEN_SOURCES, 32, "ranges", "of addresses that one token is taken from")                \
    /* quota */                                                                                      \
    X(LIMIT_QUOTA_MAX, 1000000, "objects", "limit a pool may be set to")                             \
    /* configuration */                                                                              \
    X(LIMIT_CONF_FILE, 65536, "bytes", "configuration file")                                         \
    X(LIMIT_CONF_DEPTH, 8, "levels", "nesting of a configuration file")                              \
    X(LIMIT_CONF_NODES, 4096, "values", "keys and values of a configuration file")                   \
    X(LIMIT_CONF_LIST, 64, "entries", "list of the configuration, its own bound apart")              \
    X(LIMIT_CONF_TEXT, 4096, "bytes", "entry of a list, key or value of a plugin option")            \
    X(LIMIT_CONF_FINDINGS, 100, "problems", "problems that one check shows")                         \
    X(LIMIT_CONF_BLOCK, 16384, "bytes", "block of a configuration's memory")                         \
    X(LIMIT_CONF_MEMORY, 1048576, "bytes", "memory of a configuration, overrides included")

enum {
#define LIMITS_ENUM(name, value, unit, what) name = (value),
    LIMITS_MAP(LIMITS_ENUM)
#undef LIMITS_ENUM
};

#endif
