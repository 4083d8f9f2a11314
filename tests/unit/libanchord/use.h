/* A client program in a few lines, compiled as strict C11 and as C++17 against the shared library. */
#ifndef TESTS_LIBANCHORD_USE_H
#define TESTS_LIBANCHORD_USE_H

#include <anchord/anchord.h>

int
main(void)
{
    acd_err err = ACD_ERR_INIT;
    acd_client *client = NULL;
    int rc = acd_client_open("not a url", NULL, &client, &err);
    acd_client_close(client);
    return rc == ACD_EINVAL && err.text[0] ? 0 : 1;
}

#endif
