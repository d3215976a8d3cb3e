// What stands between clients and the API server, as in kube-apiserver's chain of filters: who asks
// (bearer tokens), as whom (impersonation), whether they may (RBAC), and in what shape they want
// the answer (tables). Brings discovery and the reviews of one's own rights along.
// Not thread-safe: whoever holds the World's lock.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kubeclient/target.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/api_server.hpp"
#include "lab/api/discovery.hpp"
#include "lab/api/rbac.hpp"
#include "lab/api/reviews.hpp"
#include "lab/api/status.hpp"
#include "lab/front_door.hpp"

namespace lab {

// By bearer token.
using Tokens = std::map<std::string, User>;

class Gateway final : public FrontDoor {
public:
    // From here on the Roles in the store decide what anybody may do on `server`, in this process
    // too. `server` outlives the gateway, and answers no request after it.
    Gateway(ApiServer& server, ApiServer::Clock clock, Tokens tokens);
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    kubeclient::Response handle(const Caller& caller, const kubeclient::Request& request) override;
    std::unique_ptr<WatchCursor> watch(const Caller& caller, const kubeclient::Request& request,
                                       kubeclient::Response& refusal) override;
    std::unique_ptr<Stream> follow(const Caller& caller,
                                   const kubeclient::Request& request) override;

private:
    Outcome<User> user_of(const Caller& caller) const;
    Outcome<User> impersonated(const User& user, const kubeclient::Impersonation& wanted) const;
    kubeclient::Response shaped(kubeclient::Response response,
                                const kubeclient::Request& request) const;
    std::function<Json(const Json&)> shape_for(const kubeclient::Request& request) const;

    ApiServer& server_;
    ApiServer::Clock clock_;
    Tokens tokens_;
    Rbac rbac_;
    Reviews reviews_;
    Discovery discovery_;
};

}  // namespace lab
