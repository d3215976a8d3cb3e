// What `migrate` and `cancel` say while they work, in the shape that was asked for: lines or a
// block that is drawn anew (table), documents, a stream of events, names. Data goes to standard
// output; where that is a document or a stream, words go to standard error.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "recovery/course.hpp"
#include "recovery/report.hpp"

namespace commands {

class MigrationTalk {
public:
    virtual ~MigrationTalk() = default;
    virtual void tell(const recovery::MigrationEvent& event) = 0;
    // Something that is about no single VM.
    virtual void say(const std::string& words) = 0;
    // Several times a second: how those stand that are under way.
    virtual void stand(const std::vector<const recovery::Course*>& courses,
                       recovery::Instant now) = 0;
    virtual void finish(const recovery::MigrationReport& report) = 0;
};

// `environment` outlives it.
std::unique_ptr<MigrationTalk> make_talk(OutputFormat output, Environment& environment);

// The last word: `done` says whether the work came to its end, `code` what is to be the exit code
// where it did. An error prints its error: and hint: lines, the same for every format.
ExitCode close_report(recovery::MigrationReport& report, const kubeclient::Status& done, int code,
                      MigrationTalk& talk, Environment& environment);

}  // namespace commands
