#include "wire/pack.h"

#include "model/limits.h"
#include "wire/codec.h"

enum { FIRST_ROOM = 16384, GROWTH = 4 };

bool
pack_begin(struct pack *p, struct mem_region *r)
{
    *p = (struct pack){.region = r};
    return pack_grow(p, 0);
}

bool
pack_grow(struct pack *p, size_t n)
{
    size_t used = pack_mark(p), room = p->end ? (size_t)(p->end - p->begin) * GROWTH : FIRST_ROOM;
    if (used + n > LIMIT_MESSAGE)
        return false;
    if (room < used + n)
        room = used + n;
    uint8_t *begin = mem_alloc(p->region, room);
    if (!begin)
        return false;
    uint8_t *end = begin + room;
    if (used)
        memcpy(end - used, p->at, used);
    *p = (struct pack){p->region, begin, end - used, end};
    return true;
}

bool
pack_message(struct pack *p, uint32_t number, const void *msg)
{
    const struct codec *c = codec_find(((const ProtobufCMessage *)msg)->descriptor);
    size_t mark = pack_mark(p);
    must(c != NULL);
    return codec_pack(c, p, msg) && pack_head(p, number, mark);
}
