// What the verbs work on. Private to lab/api.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lab/api/api_server.hpp"
#include "lab/api/kinds.hpp"
#include "lab/api/route.hpp"
#include "lab/api/status.hpp"

namespace lab {

// uids and the letters behind a generateName; the same seed gives the same ones.
class Names {
public:
    explicit Names(std::uint64_t seed) : random_(seed) {}
    std::string uid();
    // Five characters. Source: apimachinery pkg/util/rand.
    std::string suffix();

private:
    std::mt19937_64 random_;
};

struct ServerState {
    Store& store;
    ApiServer::Clock clock;
    Names names;
    Kinds kinds{};
    std::vector<Extension*> extensions{};
    Authorizer authorizer{};
};

// One request, understood.
struct Call {
    const User& user;
    const kubeclient::Request& request;
    const Kind& kind;
    const KindVersion& version;
    ObjectKey key{};
    std::string subresource{};
    bool dry_run = false;
};

// A reply of one object.
struct Reply {
    int status = 200;
    Object body{};
    std::vector<std::string> warnings{};
};

// The object as the version of the request shows it.
Object shown(const Object& object, const Call& call);
std::string now_text(const ServerState& state);

// Everything that is stored goes through these two: they keep what is derived from objects (the
// kinds that definitions add) up to date.
Object store_object(ServerState& state, const Kind& kind, const ObjectKey& key, Json object);
Object remove_object(ServerState& state, const Kind& kind, const ObjectKey& key);

// The verbs. `body` is the decoded object, or of a patch and a deletion the text of the request.
Outcome<Reply> get_object(ServerState& state, const Call& call);
Outcome<Reply> create_object(ServerState& state, const Call& call, Json body);
Outcome<Reply> update_object(ServerState& state, const Call& call, Json body);
Outcome<Reply> patch_object(ServerState& state, const Call& call);
Outcome<Reply> delete_object(ServerState& state, const Call& call);
Outcome<kubeclient::Response> list_objects(ServerState& state, const Call& call);

}  // namespace lab
