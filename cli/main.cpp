#include <exception>
#include <iostream>

#include "cli/environment.hpp"
#include "cli/run.hpp"

int main(int argc, char** argv) {
    try {
        cli::Process process;
        const std::span words(argv, static_cast<std::size_t>(argc));
        return process.finish(cli::run({words.begin(), words.end()}, process.environment()));
    } catch (const std::exception& problem) {
        std::cerr << "error: internal error: " << problem.what()
                  << "\nhint: please report this, with the command line and the version\n";
        return static_cast<int>(commands::ExitCode::error);
    }
}
