/* Everything a client program needs. */
#ifndef ANCHORD_ANCHORD_H
#define ANCHORD_ANCHORD_H

#include <anchord/client.h>
#include <anchord/edge.h>
#include <anchord/status.h>
#include <anchord/types.h>

#endif
