// See EventRecorder in controller.hpp.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lab/controllers/controller.hpp"

namespace lab {

// `component` becomes source.component. `api` outlives the recorder.
std::unique_ptr<EventRecorder> make_event_recorder(std::string component, kubeclient::Api& api,
                                                   std::function<kubeclient::Instant()> clock);

}  // namespace lab
