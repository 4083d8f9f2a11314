/*
 * Imports: many CAs staged in memory, one object each, and committed in one transaction or not at all.
 * Staging is where certificates are checked, so a client sees progress; an import that is idle for
 * LIMIT_IMPORT_IDLE_MS is dropped. Any thread.
 */
#ifndef CORE_IMPORTS_H
#define CORE_IMPORTS_H

struct imports;

struct imports *imports_new(void);
void imports_free(struct imports *imports);

#endif
