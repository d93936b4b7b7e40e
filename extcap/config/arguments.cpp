// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/arguments.h"

#include <glib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/config/secret_words.h"

namespace cloudflaredump::config {
namespace {

struct ContextFree {
  void operator()(GOptionContext* context) const { g_option_context_free(context); }
};

/// Copies argv for the parser and wipes the secrets from argv itself.
std::vector<std::string> TakeOver(int argc, char** argv) {
  std::vector<std::string> copy(argv, argv + argc);
  for (int i = 1; i < argc; ++i) {
    if (const auto secret = SecretAt(argc, argv, i)) {
      RegisterSecrets(*secret->option, secret->value);
      Wipe(secret->value);
    }
  }
  return copy;
}

/// GLib's message, freed. It quotes an unknown option with its value, which may be a secret after a
/// mistyped name.
std::string TakeComplaint(GError* error) {
  std::string why = CleanLine(error->message);
  if (g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION)) {
    why.resize(std::min(why.find('='), why.size()));
  }
  g_error_free(error);
  return why;
}

/// What --help says of an option of the table: its values and, with `defaults`, its defaults, too.
std::string HelpOf(const Option& option, bool defaults) {
  std::string text = option.help;
  if (option.choices != nullptr) {
    text += " Values:";
    for (const std::string_view choice : Split(option.choices, ',')) {
      text += (text.ends_with(':') ? " " : ", ") + std::string(choice);
    }
    text += ".";
  }
  if (option.fallback == nullptr || !defaults) return text;
  text += std::string(" Default: ") + option.fallback;
  if (option.fallback_live != nullptr) text += std::string("; live: ") + option.fallback_live;
  if (option.fallback_full != nullptr) text += std::string("; full: ") + option.fallback_full;
  return text + ".";
}

}  // namespace

bool Arguments::Has(std::string_view name) const {
  return std::ranges::find(extra, name) != extra.end();
}

Result<Arguments> ParseArguments(int argc, char** argv, std::span<const ExtraArgument> extra,
                                 const CommandHelp& help, UnknownOptions unknown) {
  std::vector<std::string> words = TakeOver(argc, argv);
  std::array<char*, static_cast<std::size_t>(Opt::kCount)> texts = {};
  std::vector<char*> extra_texts(extra.size(), nullptr);
  std::vector<char**> extra_lists(extra.size(), nullptr);
  std::vector<gboolean> extra_flags(extra.size(), FALSE);

  std::vector<GOptionEntry> entries;
  for (std::size_t i = 0; i < extra.size(); ++i) {
    const ExtraArgument& e = extra[i];
    void* place = &extra_flags[i];
    GOptionArg kind = G_OPTION_ARG_NONE;
    // FILENAME accepts any bytes; STRING would refuse UTF-8 in the C locale.
    if (e.text != nullptr) {
      place = static_cast<void*>(&extra_texts[i]);
      kind = G_OPTION_ARG_FILENAME;
    } else if (e.list != nullptr) {
      place = static_cast<void*>(&extra_lists[i]);
      kind = G_OPTION_ARG_FILENAME_ARRAY;
    }
    entries.push_back({e.name, e.letter, e.help == nullptr ? G_OPTION_FLAG_HIDDEN : 0, kind, place,
                       e.help, e.value_name});
  }
  std::vector<std::string> helps;
  helps.reserve(AllOptions().size());
  for (const Option& option : AllOptions()) {
    // GLib would read a word of two options twice.
    const auto is_this = [&](const ExtraArgument& e) {
      return std::string_view(e.name) == option.name;
    };
    if (std::ranges::any_of(extra, is_this)) continue;
    const bool listed =
        help.options.empty() || std::ranges::find(help.options, option.id) != help.options.end();
    const bool shown = listed && option.type != OptionType::kPick;
    entries.push_back(
        {option.name, 0, shown ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME,
         static_cast<void*>(&texts[static_cast<std::size_t>(option.id)]),
         helps.emplace_back(shown ? HelpOf(option, option.id != help.no_default) : "").c_str(),
         option.value_name});
  }
  entries.push_back({});

  const std::unique_ptr<GOptionContext, ContextFree> context(g_option_context_new(help.usage));
  g_option_context_set_summary(context.get(), help.summary);
  g_option_context_set_ignore_unknown_options(context.get(), unknown == UnknownOptions::kIgnore);
  g_option_context_add_main_entries(context.get(), entries.data(), nullptr);

  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  int count = argc;
  char** list = pointers.data();
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context.get(), &count, &list, &error);

  Arguments arguments;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] != nullptr) arguments.values[i] = texts[i];
    g_free(texts[i]);
  }
  for (std::size_t i = 0; i < extra.size(); ++i) {
    if (extra[i].text != nullptr && extra_texts[i] != nullptr) *extra[i].text = extra_texts[i];
    for (char** value = extra_lists[i]; value != nullptr && *value != nullptr; ++value) {
      extra[i].list->emplace_back(*value);
    }
    if (extra_texts[i] != nullptr || extra_lists[i] != nullptr || extra_flags[i]) {
      arguments.extra.emplace_back(extra[i].name);
    }
    if (extra[i].flag != nullptr && extra_flags[i]) *extra[i].flag = true;
    g_free(extra_texts[i]);
    g_strfreev(extra_lists[i]);
  }
  if (!parsed) {
    return Fail(TakeComplaint(error), "see --help", Error::Kind::kUsage);
  }
  for (int i = 1; i < count; ++i) {
    const std::string_view word = list[i];
    if (word == "--") continue;
    // With unknown options ignored, GLib leaves them, and what may be their values, in the list.
    arguments.words.emplace_back(word);
  }
  return arguments;
}

Result<Arguments> ParseExtcapArguments(int argc, char** argv,
                                       std::span<const ExtraArgument> extra) {
  std::string secrets_fd;
  std::vector<ExtraArgument> all(extra.begin(), extra.end());
  all.push_back({.name = kSecretsFd, .text = &secrets_fd});
  auto arguments = ParseArguments(argc, argv, all, {}, UnknownOptions::kIgnore);
  if (!arguments || secrets_fd.empty()) return arguments;
  if (auto taken = TakeSecrets(secrets_fd, arguments->values); !taken) {
    return Failure(taken);
  }
  return arguments;
}

}  // namespace cloudflaredump::config
