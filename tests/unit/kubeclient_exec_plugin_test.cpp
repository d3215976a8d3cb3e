#include "kubeclient/exec_plugin.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "kubeclient_temporary_folder.hpp"

using namespace kubeclient;
using namespace std::chrono_literals;

namespace {

Result<std::string> run(const TemporaryFolder& folder, const std::string& body,
                        PluginRun plugin = {}) {
    plugin.program = folder.script("plugin", body);
    plugin.name = "plugin";
    return run_plugin(plugin);
}

}  // namespace

TEST_CASE("a plugin gets its arguments untouched by any shell") {
    const TemporaryFolder folder;
    const auto output = run(folder, "for a in \"$@\"; do echo \"<$a>\"; done",
                            {.arguments = {"a b", "$(touch pwned)", "", "'\"", "*"}});
    REQUIRE(output.ok());
    CHECK(*output == "<a b>\n<$(touch pwned)>\n<>\n<'\">\n<*>\n");
}

TEST_CASE("a plugin gets our environment with its own on top") {
    const TemporaryFolder folder;
    setenv("HANDOFF_TEST_OURS", "ours", 1);
    setenv("HANDOFF_TEST_BOTH", "ours", 1);
    const auto output =
        run(folder, "echo $HANDOFF_TEST_OURS $HANDOFF_TEST_BOTH $HANDOFF_TEST_NEW",
            {.environment = {{"HANDOFF_TEST_BOTH", "theirs"}, {"HANDOFF_TEST_NEW", "new"}}});
    unsetenv("HANDOFF_TEST_OURS");
    unsetenv("HANDOFF_TEST_BOTH");
    CHECK(*output == "ours theirs new\n");
}

TEST_CASE("a plugin that is not interactive reads nothing, and inherits no file of ours") {
    const TemporaryFolder folder;
    const int open_file = open("/dev/null", O_RDONLY);  // deliberately without O_CLOEXEC
    const int high = fcntl(open_file, F_DUPFD, 50);
    const auto output = run(
        folder, "cat; [ -e /proc/self/fd/" + std::to_string(high) + " ] && echo leaked; echo end");
    close(open_file);
    close(high);
    CHECK(*output == "end\n");
}

TEST_CASE("what a plugin says on standard error passes through") {
    const TemporaryFolder folder;
    const int saved = dup(STDERR_FILENO);
    const int file = open((folder.path() + "/err").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    dup2(file, STDERR_FILENO);
    const auto output = run(folder, "echo visit https://id >&2; echo out");
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    CHECK(*output == "out\n");
    CHECK(folder.read("err") == "visit https://id\n");
}

TEST_CASE("a failing plugin is told by its exit code or its signal") {
    const TemporaryFolder folder;
    CHECK(run(folder, "echo half; exit 3").error().message ==
          "exec: executable plugin failed with exit code 3");
    CHECK(run(folder, "kill -TERM $$").error().message ==
          "exec: executable plugin was ended by signal 15 (Terminated)");
    CHECK(run(folder, "kill -INT $$").error().kind == ErrorKind::canceled);
    CHECK(run(folder, "exit 130").error().kind == ErrorKind::canceled);
    PluginRun absent{.program = folder.path() + "/absent", .name = "absent"};
    CHECK(run_plugin(absent).error().message ==
          "exec: fork/exec " + folder.path() + "/absent: No such file or directory");
}

TEST_CASE("a plugin that hangs is killed when its time is up") {
    const TemporaryFolder folder;
    const auto start = std::chrono::steady_clock::now();
    const char* const bodies[] = {
        "exec sleep 60",                    // silent
        "exec sleep 60 >/dev/null",         // closes its output and stays
        "sleep 3 2>/dev/null & echo '{}'",  // leaves a child that holds the output open
        "trap '' TERM INT; exec sleep 60"   // does not want to go
    };
    for (const char* body : bodies) {
        CAPTURE(body);
        const auto output = run(folder, body, {.time_limit = 200ms});
        REQUIRE_FALSE(output.ok());
        CHECK(output.error().kind == ErrorKind::timeout);
        CHECK(output.error().message == "exec: executable plugin did not finish within 0.2s");
    }
    CHECK(std::chrono::steady_clock::now() - start < 30s);
}

TEST_CASE("a plugin that prints without end is killed") {
    const TemporaryFolder folder;
    const auto output = run(folder, "exec yes", {.most_output = 100000});
    CHECK(output.error().message == "exec: executable plugin printed more than 100000 bytes");
}

TEST_CASE("programs are found in the path, but never relative to the current folder") {
    const TemporaryFolder folder;
    const auto tool = folder.script("handoff-test-tool", "true");
    const auto list = "/nonexistent:" + folder.path() + ":/usr/bin";
    CHECK(*find_program("handoff-test-tool", list) == tool);
    CHECK(*find_program(tool, "") == tool);
    CHECK(find_program("handoff-test-tool", "/nonexistent").error().message ==
          "exec: executable handoff-test-tool not found");
    CHECK(find_program("handoff-test-tool", "").error().kind == ErrorKind::not_found);
    CHECK(find_program("", list).error().kind == ErrorKind::not_found);
    std::filesystem::permissions(tool, std::filesystem::perms::owner_read);
    CHECK_FALSE(find_program(tool, "").ok());
    CHECK_FALSE(find_program(folder.path(), "").ok());

    const auto before = std::filesystem::current_path();
    folder.script("here", "true");
    std::filesystem::current_path(folder.path());
    const auto relative = find_program("here", ":/usr/bin");
    const auto dotted = find_program("./here", "");
    std::filesystem::current_path(before);
    CHECK(relative.error().message ==
          "exec: \"here\": cannot run executable found relative to current directory");
    CHECK(std::filesystem::path(*dotted).is_absolute());
}
