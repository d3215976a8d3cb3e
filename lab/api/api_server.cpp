#include "lab/api/api_server.hpp"

#include <utility>

namespace lab {

struct ApiServer::State {
    Store& store;
    Clock clock;
};

ApiServer::ApiServer(Store& store, Clock clock, std::uint64_t /*seed*/)
    : state_(std::make_unique<State>(State{store, std::move(clock)})) {}
ApiServer::~ApiServer() = default;

}  // namespace lab
