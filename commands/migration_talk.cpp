#include "commands/migration_talk.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <ostream>

#include "commands/errors.hpp"
#include "commands/render_migration_json.hpp"
#include "commands/render_migration_text.hpp"
#include "commands/version.hpp"

namespace commands {
namespace {

using recovery::Course;
using recovery::Instant;
using recovery::MigrationEvent;
using recovery::MigrationReport;

// A line for everything that happens. Figures only where the verdict or the pass changes, and every
// half minute without another word.
class Lines : public MigrationTalk {
public:
    Lines(std::ostream& words, MigrationStyle style) : words_(words), style_(style) {}

    void tell(const MigrationEvent& event) override {
        if (event.type == MigrationEvent::Type::progress && !is_news(event)) return;
        words_ << render_event_line(event, style_) << std::flush;
        last_word_ = event.at;
    }

    void say(const std::string& words) override {
        for (std::string_view rest = words; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            words_ << printable(line, Breaks::shown) << '\n';
        }
        words_.flush();
    }

    void stand(const std::vector<const Course*>& courses, Instant now) override {
        constexpr std::chrono::seconds heartbeat{30};
        if (last_word_ == Instant{}) last_word_ = now;
        if (now - last_word_ < heartbeat) return;
        last_word_ = now;
        for (const auto* course : courses) words_ << render_standing(*course, now, style_);
        words_.flush();
    }

    void finish(const MigrationReport& report) override {
        words_ << render_migration_summary(report, style_) << std::flush;
    }

protected:
    std::ostream& words_;
    const MigrationStyle style_;

private:
    bool is_news(const MigrationEvent& event) {
        if (!event.progress) return true;
        const auto& transfer = event.progress->transfer;
        const auto key = event.progress->verdict + "/" + std::to_string(transfer.pass.value_or(0));
        return std::exchange(said_[event.ns + "/" + event.vmi], key) != key;
    }

    std::map<std::string, std::string> said_{};
    Instant last_word_{};
};

// On a terminal: what has happened scrolls up, what goes on is drawn anew below.
class Block final : public Lines {
public:
    Block(std::ostream& words, MigrationStyle style, int rows) : Lines(words, style), rows_(rows) {}

    void tell(const MigrationEvent& event) override {
        using Type = MigrationEvent::Type;
        if (event.type == Type::progress || event.type == Type::phase) return;  // in the block
        erase();
        words_ << render_event_line(event, style_) << std::flush;
    }

    void say(const std::string& words) override {
        erase();
        Lines::say(words);
    }

    void stand(const std::vector<const Course*>& courses, Instant now) override {
        constexpr std::chrono::milliseconds pace{250};
        if (now - drawn_at_ < pace) return;
        drawn_at_ = now;
        auto lines = render_block(courses, now, style_, rows_ - 1);
        if (lines == drawn_) return;
        erase();
        for (const auto& line : lines) words_ << line << '\n';
        words_.flush();
        drawn_ = std::move(lines);
    }

    void finish(const MigrationReport& report) override {
        erase();
        Lines::finish(report);
    }

private:
    // Up to where the block begins, and from there on nothing.
    void erase() {
        if (!drawn_.empty()) words_ << "\x1b[" << drawn_.size() << "A\x1b[J";
        drawn_.clear();
    }

    const int rows_;
    std::vector<std::string> drawn_{};
    Instant drawn_at_{};
};

class Document final : public Lines {
public:
    Document(Environment& environment, OutputFormat output)
        : Lines(environment.io.err, {}), out_(environment.io.out), output_(output) {}

    void finish(const MigrationReport& report) override {
        out_ << render_migration_report(report, tool_version(), output_) << std::flush;
    }

private:
    std::ostream& out_;
    const OutputFormat output_;
};

class Events final : public Lines {
public:
    explicit Events(Environment& environment)
        : Lines(environment.io.err, {}), out_(environment.io.out) {}

    void tell(const MigrationEvent& event) override {
        out_ << render_migration_event(event) << std::flush;
        Lines::tell(event);
    }

    void finish(const MigrationReport& report) override {
        if (report.error) out_ << render_migration_error_event(report) << std::flush;
    }

private:
    std::ostream& out_;
};

class Names final : public Lines {
public:
    explicit Names(Environment& environment)
        : Lines(environment.io.err, {}), out_(environment.io.out) {}

    void tell(const MigrationEvent& event) override {
        const bool handle = event.type == MigrationEvent::Type::created ||
                            event.type == MigrationEvent::Type::joined;
        if (handle) {
            out_ << "virtualmachineinstancemigration.kubevirt.io/" << printable(event.vmim) << '\n'
                 << std::flush;
        }
        Lines::tell(event);
    }

    void finish(const MigrationReport&) override {}

private:
    std::ostream& out_;
};

}  // namespace

std::unique_ptr<MigrationTalk> make_talk(OutputFormat output, Environment& environment) {
    auto& io = environment.io;
    switch (output) {
        case OutputFormat::json:
        case OutputFormat::yaml:
            return std::make_unique<Document>(environment, output);
        case OutputFormat::jsonl:
            return std::make_unique<Events>(environment);
        case OutputFormat::name:
            return std::make_unique<Names>(environment);
        case OutputFormat::table:
        case OutputFormat::wide:
            break;
    }
    const MigrationStyle style{io.out_is_terminal ? io.width : 0, io.colour};
    if (io.redraws) return std::make_unique<Block>(io.out, style, io.height);
    return std::make_unique<Lines>(io.out, style);
}

ExitCode close_report(MigrationReport& report, const kubeclient::Status& done, int code,
                      MigrationTalk& talk, Environment& environment) {
    report.taken_at = std::chrono::floor<std::chrono::seconds>(environment.system.now());
    report.exit_code = code;
    if (!done.ok()) {
        const auto& error = done.error();
        const bool canceled = error.kind == kubeclient::ErrorKind::canceled;
        report.exit_code =
            static_cast<int>(canceled ? environment.interruption() : exit_code(error.kind));
        report.error = {std::string(to_string(error.kind)), error.message, hint_of(error)};
    }
    talk.finish(report);
    if (!done.ok()) print_error(environment.io.err, done.error());
    return static_cast<ExitCode>(report.exit_code);
}

}  // namespace commands
