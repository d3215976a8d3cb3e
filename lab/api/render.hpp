// Objects as replies: the version that was asked for, the format that was accepted. Private to
// lab/api.
#pragma once

#include <string>
#include <string_view>

#include "lab/api/list.hpp"
#include "lab/api/server_state.hpp"

namespace lab {

struct View {
    const Kind& kind;
    const KindVersion& version;
    const std::string& accept;
};

// The object under the apiVersion of the view. Conversion changes nothing else.
Object shown(const Object& object, const View& view);

kubeclient::Response render(const View& view, const Reply& reply);
kubeclient::Response render(const View& view, const Listing& listing);
// The value of a Warning header, RFC 7234 section 5.5.
std::string warning_header(const std::string& text);
// {"type":…,"object":…}\n
std::string render_event(const View& view, std::string_view type, const Object& object);

}  // namespace lab
