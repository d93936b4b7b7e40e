// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/dialog.h"

#include <string>

#include "common/text.h"
#include "extcap/frontend/sentence.h"

namespace cloudflaredump::frontend {
namespace {

const char* TypeOf(const config::Option& option) {
  switch (option.type) {
    case config::OptionType::kSecret:
      return "password";
    case config::OptionType::kChoice:
    case config::OptionType::kPick:
      return "selector";
    case config::OptionType::kFile:
      return "fileselect";
    case config::OptionType::kText:
    case config::OptionType::kNumber:  // a number field without a default would show, and pass, 0
    case config::OptionType::kFolder:  // fileselect picks files only
      break;
  }
  return "string";
}

std::string TooltipOf(const config::Option& option, config::InterfaceKind kind) {
  std::string tip = option.help;
  if (option.type == config::OptionType::kNumber) {
    tip += " From " + WithThousands(option.minimum) + " to " +
           WithThousands(config::MaximumOf(option, kind)) + ".";
  }
  return tip;
}

/// The value that applies if the user types nothing, and its source. Never a secret.
std::string PlaceholderOf(const config::Option& option, config::InterfaceKind kind,
                          const config::Setting& setting) {
  if (setting.source == config::Source::kNone) {
    const char* const unset = config::UnsetOf(option, kind);
    return unset != nullptr ? unset : "";
  }
  if (option.type == config::OptionType::kSecret) return "set by " + setting.where;
  if (setting.source == config::Source::kBuiltIn) return setting.value;
  return config::ShownValue(option, setting.value) + " (" + setting.where + ")";
}

void PrintChoices(const config::Option& option, unsigned number, const std::string& effective) {
  for (const std::string_view choice : Split(option.choices, ',')) {
    Sentence value("value");
    value.With("arg", number).With("value", choice).With("display", choice);
    if (choice == effective) value.With("default", "true");
    value.Print();
  }
}

/// Before a reload the list has only the entry that picks nothing.
void PrintNoPick(unsigned number) {
  Sentence("value")
      .With("arg", number)
      .With("value", config::kAsTyped)
      .With("display", "as typed")
      .With("default", "true")
      .Print();
}

}  // namespace

void PrintDialog(const config::CaptureInterface& interface, const config::Settings& settings) {
  unsigned number = 0;
  for (const config::Option& option : config::AllOptions()) {
    if (!config::AppliesTo(option, interface.kind)) continue;
    const config::Setting& setting = settings.At(option.id);
    Sentence arg("arg");
    arg.With("number", number)
        .With("call", "--" + std::string(option.name))
        .With("display", option.label)
        .With("type", TypeOf(option))
        .With("tooltip", TooltipOf(option, interface.kind));
    const bool selects =
        option.type == config::OptionType::kChoice || option.type == config::OptionType::kPick;
    if (!selects) {
      arg.WithIfAny("placeholder", PlaceholderOf(option, interface.kind, setting));
    }
    if (option.type == config::OptionType::kNumber) arg.With("validation", "^[0-9]*$");
    if (option.type == config::OptionType::kFile) arg.With("mustexist", "false");
    // In 4.0 only a selector can have a reload button, and it accepts no typed text.
    if (option.type == config::OptionType::kPick) arg.With("reload", "true");
    arg.With("group", option.tab).Print();
    if (option.type == config::OptionType::kPick) PrintNoPick(number);
    if (option.type == config::OptionType::kChoice) PrintChoices(option, number, setting.value);
    ++number;
  }
}

}  // namespace cloudflaredump::frontend
