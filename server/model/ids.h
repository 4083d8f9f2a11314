/* Identifiers: 32 lower-case hex digits (accounts, zones, tokens) and UUIDs (certificates). Any thread. */
#ifndef MODEL_IDS_H
#define MODEL_IDS_H

#include <stdbool.h>

#include <anchord/types.h>

enum { ID_HEX_LEN = 32, ID_UUID_LEN = 36 };

void id_new_hex(char out[ID_HEX_LEN + 1]);
void id_new_uuid(char out[ID_UUID_LEN + 1]); /* version 4 (RFC 9562 section 5.4) */
bool id_is_hex(acd_slice s);
bool id_is_uuid(acd_slice s); /* lower case, 8-4-4-4-12 */

#endif
