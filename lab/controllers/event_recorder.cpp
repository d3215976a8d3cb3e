#include "lab/controllers/event_recorder.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace lab {

namespace {

std::string hexadecimal(std::int64_t number) {
    static const char digits[] = "0123456789abcdef";
    std::string text;
    for (auto rest = static_cast<std::uint64_t>(number); rest != 0; rest /= 16) {
        text.insert(text.begin(), digits[rest % 16]);
    }
    return text;
}

class Recorder final : public EventRecorder {
public:
    Recorder(std::string component, kubeclient::Api& api,
             std::function<kubeclient::Instant()> clock)
        : component_(std::move(component)), api_(api), clock_(std::move(clock)) {}

    void record(const Json& about, std::string_view type, std::string_view reason,
                const std::string& message) override {
        const auto now = clock_();
        const Json& metadata = about.at("metadata");
        const std::string ns = metadata.value("namespace", "default");
        const std::string time =
            kubeclient::format_time(std::chrono::floor<std::chrono::seconds>(now));
        // client-go makes names unique with the clock's nanoseconds; ours may stand still.
        const auto serial = now.time_since_epoch().count() * 1000 + serial_++;
        const Json event{
            {"apiVersion", "v1"},
            {"kind", "Event"},
            {"metadata",
             {{"name", metadata.value("name", "") + "." + hexadecimal(serial)}, {"namespace", ns}}},
            {"involvedObject",
             {{"apiVersion", about.value("apiVersion", "")},
              {"kind", about.value("kind", "")},
              {"namespace", metadata.value("namespace", "")},
              {"name", metadata.value("name", "")},
              {"uid", metadata.value("uid", "")},
              {"resourceVersion", metadata.value("resourceVersion", "")}}},
            {"type", type},
            {"reason", reason},
            {"message", message},
            {"source", {{"component", component_}}},
            {"firstTimestamp", time},
            {"lastTimestamp", time},
            {"count", 1}};
        const auto written =
            api_.create("/api/v1/namespaces/" + ns + "/events", event, kubeclient::DryRun::none);
        static_cast<void>(written.ok());  // as in client-go: an event that is lost is lost
    }

private:
    std::string component_;
    kubeclient::Api& api_;
    std::function<kubeclient::Instant()> clock_;
    std::int64_t serial_ = 0;
};

}  // namespace

std::unique_ptr<EventRecorder> make_event_recorder(std::string component, kubeclient::Api& api,
                                                   std::function<kubeclient::Instant()> clock) {
    return std::make_unique<Recorder>(std::move(component), api, std::move(clock));
}

}  // namespace lab
