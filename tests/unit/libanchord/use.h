/* A client program in a few lines, with every public header in one file, compiled as strict C11 and as C++17
 * against the shared library. */
#ifndef TESTS_LIBANCHORD_USE_H
#define TESTS_LIBANCHORD_USE_H

#include <anchord/anchord.h>
#include <anchord/plugin-quota.h>
#include <anchord/plugin-storage.h>
#include <anchord/plugin-validator.h>

int
main(void)
{
    acd_err err = ACD_ERR_INIT;
    acd_client *client = NULL;
    int rc = acd_client_open("not a url", NULL, &client, &err);
    acd_client_close(client);
    if (rc != ACD_EINVAL || !err.text[0])
        return 1;
    acd_edge *edge = NULL;
    rc = acd_edge_open("/nonexistent/image", NULL, &edge, &err);
    acd_edge_close(edge);
    return rc == ACD_ENOENT ? 0 : 1;
}

#endif
