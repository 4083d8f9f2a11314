#include "use.h"
