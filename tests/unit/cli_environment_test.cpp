#include "cli/environment.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <istream>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace {

using Variables = std::map<std::string, std::string>;

cli::Terminal describe(bool is_terminal, int columns, const Variables& variables) {
    return cli::describe_terminal(is_terminal, columns, [&](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

}  // namespace

TEST_CASE("off a terminal everything is plain, whatever the variables say") {
    CHECK(describe(false, 132, {{"COLUMNS", "200"}, {"LANG", "C.UTF-8"}}) == cli::Terminal{});
}

TEST_CASE("a terminal gives its width, unless COLUMNS or nothing does") {
    CHECK(describe(true, 132, {}).width == 132);
    CHECK(describe(true, 132, {{"COLUMNS", "60"}}).width == 60);
    CHECK(describe(true, 132, {{"COLUMNS", "wide"}}).width == 132);
    CHECK(describe(true, 132, {{"COLUMNS", "-5"}}).width == 132);
    CHECK(describe(true, 0, {}).width == 80);
}

TEST_CASE("NO_COLOR and a dumb terminal take colour away") {
    CHECK(describe(true, 80, {{"TERM", "xterm"}}).colour);
    CHECK(describe(true, 80, {{"NO_COLOR", ""}}).colour);
    CHECK_FALSE(describe(true, 80, {{"NO_COLOR", "1"}}).colour);
    CHECK_FALSE(describe(true, 80, {{"TERM", "dumb"}}).colour);
}

TEST_CASE("marks need a UTF-8 locale, and LC_ALL decides over LANG") {
    CHECK(describe(true, 80, {{"LANG", "en_US.UTF-8"}}).unicode);
    CHECK(describe(true, 80, {{"LC_CTYPE", "C.utf8"}, {"LANG", "C"}}).unicode);
    CHECK_FALSE(describe(true, 80, {{"LC_ALL", "C"}, {"LANG", "en_US.UTF-8"}}).unicode);
    CHECK(describe(true, 80, {{"LC_ALL", ""}, {"LANG", "en_US.UTF-8"}}).unicode);
    CHECK_FALSE(describe(true, 80, {}).unicode);
}

TEST_CASE("SIGTERM asks the command to stop, ends a wait for input and decides the exit code") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);  // nobody ever writes
    cli::Process process;
    auto& environment = process.environment();

    std::promise<void> asked;
    const std::stop_callback callback(environment.stop, [&] { asked.set_value(); });
    REQUIRE(kill(getpid(), SIGTERM) == 0);
    REQUIRE(asked.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);

    CHECK(environment.io.in.get() == std::istream::traits_type::eof());
    const auto file = environment.system.read_file("/dev/zero");
    REQUIRE_FALSE(file.ok());
    CHECK(file.error().kind == kubeclient::ErrorKind::canceled);
    CHECK(process.finish(commands::ExitCode::interrupted) == 143);
    CHECK(process.finish(commands::ExitCode::blocked) == 3);
}

TEST_CASE("a file that cannot be read says which and why") {
    cli::Process process;
    const auto& read_file = process.environment().system.read_file;
    const auto absent = read_file("/nonexistent/file");
    REQUIRE_FALSE(absent.ok());
    CHECK(absent.error() ==
          kubeclient::Error{kubeclient::ErrorKind::not_found,
                            "reading /nonexistent/file: No such file or directory"});
    const auto folder = read_file("/");
    REQUIRE_FALSE(folder.ok());
    CHECK(folder.error() ==
          kubeclient::Error{kubeclient::ErrorKind::config, "reading /: Is a directory"});
    const auto endless = read_file("/dev/zero");
    REQUIRE_FALSE(endless.ok());
    CHECK(endless.error().message == "reading /dev/zero: larger than 256 MiB");
}

TEST_CASE("a folder is listed with what is below it, sorted, without following links") {
    namespace fs = std::filesystem;
    std::string name = (fs::temp_directory_path() / "handoff-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    const fs::path root = name;
    fs::create_directory(root / "b");
    std::ofstream(root / "b" / "two.yaml") << "x";
    std::ofstream(root / "c.yaml") << "x";
    std::ofstream(root / "a.yaml") << "x";
    fs::create_directory_symlink("/", root / "everything");

    cli::Process process;
    const auto& list_files = process.environment().system.list_files;
    const auto files = list_files(name);
    REQUIRE(files.ok());
    CHECK(*files ==
          std::vector<std::string>{name + "/a.yaml", name + "/b/two.yaml", name + "/c.yaml"});
    CHECK(list_files(name + "/c.yaml").value() == std::vector<std::string>{name + "/c.yaml"});
    CHECK(list_files(name + "/none").error() ==
          kubeclient::Error{kubeclient::ErrorKind::not_found,
                            "reading " + name + "/none: No such file or directory"});
    fs::remove_all(root);
}
