// Another API server's objects in a Store, put together from what watches bring and from the
// replies to our own writes: a controller sees what it has written at once, as in the lab, and what
// others write as soon as a watch tells it. Neither source may undo what the other knew better.
//
// Objects keep their resourceVersion and uid. Versions of one resource are compared as numbers
// (KEP-5504, Kubernetes 1.35).
//
// Not thread-safe: for whoever holds the World's lock.
#pragma once

#include <map>
#include <set>
#include <string>

#include "kubeclient/follow_state.hpp"
#include "kubeclient/transport.hpp"
#include "lab/api/store.hpp"

namespace lab {

class Mirror {
public:
    // `store` outlives it. What is in it of `followed` is forgotten.
    Mirror(Store& store, std::set<ResourceId> followed);

    // What kubeclient::follow says about an object of the resource.
    void take(const ResourceId& resource, kubeclient::Change change, const Json& object);
    // The server's 2xx reply to a write. Replies that are no object, and objects that are not
    // followed, change nothing.
    void take(const kubeclient::Request& request, const kubeclient::Response& response);

private:
    void update(const ResourceId& resource, const Json& object);
    void remove(const ResourceId& resource, const ObjectKey& key, const std::string& uid);

    Store& store_;
    const std::set<ResourceId> followed_;
    // Known to be gone before a watch has said so: what it still tells of them is old.
    std::map<ResourceId, std::set<std::string>> gone_{};  // uids
};

}  // namespace lab
