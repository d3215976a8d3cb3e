// The lab on a port of this machine: HTTP/1.1 over TLS, one thread per connection. Everything it
// asks of the world is asked under World::lock().
#pragma once

#include <condition_variable>
#include <memory>

#include "kubeclient/result.hpp"
#include "lab/certificates.hpp"
#include "lab/front_door.hpp"
#include "lab/world.hpp"

namespace lab {

class HttpServer {
public:
    // Listens on 127.0.0.1 alone; port 0 takes a free one. `world`, `door` and `changed` outlive
    // the server. `changed` is notified after each request that may have changed something, and
    // whoever lets time pass notifies it too: open watches wait for it.
    static kubeclient::Result<std::unique_ptr<HttpServer>> start(World& world, FrontDoor& door,
                                                                 std::condition_variable& changed,
                                                                 const Identity& identity,
                                                                 int port);

    // Ends every connection, open watches too.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // Every open connection; new ones are welcome.
    void end_connections();

    int port() const;

private:
    struct State;
    explicit HttpServer(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace lab
