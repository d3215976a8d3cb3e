// Names that two sessions cannot share: generated ones, uids, nodes chosen among equals. Each
// session's own are replaced by what they stand for, and a recording's by the lab's.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "session.hpp"

namespace lab_replay {

// The names of one session, learnt in the order in which it shows them.
class Names {
public:
    void learn(const Sighting& sighting);
    void learn(const Action& action);  // its reply

    // "launcher(web)#2" for "virt-launcher-web-x7k2p", and so on, everywhere in a value; times,
    // addresses and unknown uids as "<time>", "<address>", "<uid>".
    Json canonical(const Json& value) const;
    std::string canonical(const std::string& text) const;

    // What stands for the name or uid; nullopt: nothing does.
    std::optional<std::string> stands_for(const std::string& name) const;
    const std::map<std::string, std::string>& meanings() const { return meanings_; }

private:
    void learn_name(const std::string& name, const std::string& meaning);
    void learn_uid(const std::string& kind, const Json& metadata);

    std::map<std::string, std::string> meanings_{};
    std::map<std::string, int> counted_{};
};

// `text` of one session in the words of another. Meanings that the other has not seen yet stay.
std::string translated(const std::string& text, const Names& from, const Names& to);
Json translated(const Json& value, const Names& from, const Names& to);

}  // namespace lab_replay
