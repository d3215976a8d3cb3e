// Asks the lab what a recording was asked, at the same times, and notes what its watches see.
#pragma once

#include "session.hpp"

namespace lab_replay {

Session played(const Session& recorded);

}  // namespace lab_replay
