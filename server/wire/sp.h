/*
 * The wire protocol that nng and nanomsg speak on a stream, as far as REQ and REP need it ("SP",
 * scalability protocols; the TCP mapping is nanomsg's rfc/sp-tcp-mapping-01, the REQ/REP header
 * rfc/sp-request-reply-01).
 *
 *   hello     00 'S' 'P' 00, the sender's protocol in 16 bits, 00 00; both ends send it at once
 *   message   over tcp: its length in 64 bits, then its bytes; over ipc the byte 01 comes before the length
 *   header    a request begins with a stack of 32-bit ids: one for each device on the way (high bit clear)
 * and the client's own (high bit set). The reply begins with the same stack. numbers   big-endian
 *
 * Private to wire/; pure, any thread. Errors: ACD_EINVAL for what no peer of ours may send.
 */
#ifndef WIRE_SP_H
#define WIRE_SP_H

#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"

enum sp_framing { SP_TCP, SP_IPC };
enum { SP_REQ = 0x30, SP_REP = 0x31 };
/* Bytes; hops: ids of one stack, the client's own included. nng's default is the same. */
enum { SP_HELLO = 8, SP_HEAD_MAX = 9, SP_ID = 4, SP_HOPS = 8, SP_STACK_MAX = SP_HOPS * SP_ID };

void sp_hello_write(uint16_t protocol, uint8_t out[SP_HELLO]);
int sp_hello_check(const uint8_t in[SP_HELLO], uint16_t protocol) ACD_MUSTCHECK;

/* What comes before a message. */
size_t sp_head_size(enum sp_framing f);
void sp_head_write(enum sp_framing f, uint64_t len, uint8_t *out);
int sp_head_parse(enum sp_framing f, const uint8_t *in, uint64_t *ret_len) ACD_MUSTCHECK;

/* *ret_len: bytes of the stack, the rest is the request. ACD_ELIMIT: more than SP_HOPS ids, which is nobody's
 * fault here: the message is dropped and the connection stays. */
int sp_stack_parse(acd_slice msg, size_t *ret_len) ACD_MUSTCHECK;

#endif
