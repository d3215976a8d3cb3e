// Must not compile with IGNORED defined, and must without: a Result that nobody looks at is a bug.
#include "kubeclient/result.hpp"

kubeclient::Status might_fail();

void call() {
#ifdef IGNORED
    might_fail();
#else
    [[maybe_unused]] const bool worked = might_fail().ok();
#endif
}
