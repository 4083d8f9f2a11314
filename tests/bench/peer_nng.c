/*
 * The bare echo we compare the bus with, as lean as nng allows: contexts, and callbacks that answer in nng's
 * own threads with as many bytes as were asked for.
 *
 *   peer_nng URL REPLY-BYTES       until it is ended
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"

enum { CONTEXTS = 128, REPLY_MAX = 1 << 21 };

struct echo {
    nng_ctx ctx;
    nng_aio *aio;
    bool sending;
};

static uint8_t reply[REPLY_MAX];
static size_t reply_len;

static void
step(void *arg)
{
    struct echo *e = arg;
    nng_msg *out;
    if (nng_aio_result(e->aio) != 0)
        return;
    if (e->sending) {
        e->sending = false;
        nng_ctx_recv(e->ctx, e->aio);
        return;
    }
    nng_msg_free(nng_aio_get_msg(e->aio));
    must(nng_msg_alloc(&out, reply_len) == 0);
    memcpy(nng_msg_body(out), reply, reply_len);
    e->sending = true;
    nng_aio_set_msg(e->aio, out);
    nng_ctx_send(e->ctx, e->aio);
}

int
main(int argc, char **argv)
{
    static struct echo all[CONTEXTS];
    nng_socket sock;
    reply_len = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (reply_len == 0 || reply_len > REPLY_MAX) {
        (void)fputs("usage: peer_nng URL REPLY-BYTES\n", stderr);
        return EXIT_FAILURE;
    }
    must(nng_rep0_open(&sock) == 0);
    for (int i = 0; i < CONTEXTS; i++) {
        must(nng_aio_alloc(&all[i].aio, step, &all[i]) == 0);
        must(nng_ctx_open(&all[i].ctx, sock) == 0);
        nng_ctx_recv(all[i].ctx, all[i].aio);
    }
    must(nng_listen(sock, argv[1], NULL, 0) == 0);
    for (;;)
        (void)pause();
}
