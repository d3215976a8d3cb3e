// The Kubernetes API over a Transport: objects in, objects out, refusals as Errors in kubectl's
// words. Thread-safe when the transport is.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/api_path.hpp"
#include "kubeclient/api_write.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient/result.hpp"
#include "kubeclient/transport.hpp"
#include "kubeclient/watch.hpp"

namespace kubeclient {

enum class ListSource {
    // The state now, in pages: client-go tools/pager.
    latest,
    // Whatever the API server has in memory (resourceVersion=0), in one piece. Cheap for it, and
    // seconds old at most in a healthy cluster.
    cache,
};

struct ListOptions {
    std::string label_selector{};
    std::string field_selector{};
    int limit = 500;  // items of a page
    ListSource source = ListSource::latest;
};

struct ObjectList {
    std::string api_version{};  // of the items
    std::string kind{};         // of the items
    std::string resource_version{};
    std::vector<Json> items;  // each with its apiVersion and kind
};

// What a right is asked for: verb "get", group "", resource "pods", and so on. Empty fields mean
// any; "*" does as well.
struct AccessAttributes {
    std::string verb{};
    std::string group{};
    std::string resource{};
    std::string subresource{};
    std::string ns{};
    std::string name{};
};

struct AccessReview {
    bool allowed = false;
    bool denied = false;  // an authorizer said no, rather than none saying yes
    std::string reason{};

    bool operator==(const AccessReview&) const = default;
};

class Api {
public:
    // Each distinct text of the server's Warning headers (code 299) goes to the sink once, one call
    // at a time; without control characters.
    using WarningSink = std::function<void(const std::string& text)>;

    // `transport` outlives the Api.
    explicit Api(Transport& transport, WarningSink warnings = {});

    // `kind`, unless empty, is what the reply must be.
    Result<Json> get(const std::string& path, std::string_view kind = {});

    // All items. Where the version expires between pages, the whole list is read again in one piece
    // (client-go tools/pager does the same).
    Result<ObjectList> list(const std::string& path, const ListOptions& options = {});

    // One watch request. Done when the server ended it in order or the sink said stop; an ERROR
    // event is the error that its Status stands for: http_status 410 means that the version is
    // gone and the objects have to be listed again. follow() does that. `stop` ends it at once.
    Status watch(const std::string& path, const WatchOptions& options, const EventSink& sink,
                 std::stop_token stop);

    // A body that is text: metrics through a pod's proxy.
    Result<std::string> text(const std::string& path);
    // A log, line by line as it is written; `query` as in "container", "follow". Done when it ended
    // in order or the sink said stop. `stop` ends it at once.
    using Query = std::vector<std::pair<std::string, std::string>>;
    using LineSink = std::function<Flow(std::string_view line)>;
    Status lines(const std::string& path, const Query& query, const LineSink& sink,
                 std::stop_token stop);

    // Writes. All go out under the field manager "virt-handoff". Without server-side dry run
    // nothing is sent twice: after ErrorKind::unknown_outcome, and after a 5xx (ErrorKind::server),
    // the object has to be read to know what became of it.
    //
    // The reply is the object as stored, or a Status where the server answers with one: DELETE of
    // what is gone at once, and evictions.
    Result<Json> create(const std::string& path, const Json& object, DryRun dry_run,
                        FieldValidation validation = FieldValidation::strict);
    // PUT. conflict: the object's resourceVersion is no longer the stored one.
    Result<Json> replace(const std::string& path, const Json& object, DryRun dry_run,
                         FieldValidation validation = FieldValidation::strict);
    Result<Json> patch(const std::string& path, PatchKind kind, const Json& patch, DryRun dry_run,
                       FieldValidation validation = FieldValidation::strict);
    Result<Json> remove(const std::string& path, const DeleteOptions& options = {});

    // PUT on a subresource that acts rather than stores (subresources.kubevirt.io): `options` is
    // its body, null for none; dryRun goes into it. What the reply holds does not matter.
    Status invoke(const std::string& path, const Json& options, DryRun dry_run);

    Result<AccessReview> self_subject_access_review(const AccessAttributes& attributes);

private:
    Result<Response> answer(const Request& request);  // 2xx
    Result<Json> send(const Request& request);
    Result<Json> write(const Request& request);
    Result<Json> list_page(const std::string& path, const ListOptions& options,
                           const std::string& continue_token, int limit);
    void warn(const Response& response);

    Transport& transport_;
    const WarningSink warnings_;
    std::mutex warned_mutex_{};
    std::set<std::string> warned_{};
};

// The texts of one Warning header with code 299: `299 - "text"`, several separated by commas.
// RFC 7234 section 5.5; the rest of a header that cannot be read is dropped.
std::vector<std::string> warnings_of(std::string_view header);

}  // namespace kubeclient
