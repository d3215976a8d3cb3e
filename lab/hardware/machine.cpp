#include "lab/hardware/machine.hpp"
