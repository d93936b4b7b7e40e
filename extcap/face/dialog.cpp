// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/face/dialog.h"

#include <string>

#include "extcap/base/sentence.h"
#include "extcap/base/text.h"

namespace cloudflaredump {
namespace {

const char* TypeOf(const Option& option) {
  switch (option.type) {
    case OptionType::kSecret:
      return "password";
    case OptionType::kChoice:
    case OptionType::kPick:
      return "selector";
    case OptionType::kFile:
      return "fileselect";
    case OptionType::kText:
    case OptionType::kNumber:  // a number field without a default would show, and pass, 0
    case OptionType::kFolder:  // fileselect picks files only
      break;
  }
  return "string";
}

std::string TooltipOf(const Option& option, InterfaceKind kind) {
  std::string tip = option.help;
  if (option.type == OptionType::kNumber) {
    tip += " From " + WithThousands(option.minimum) + " to " +
           WithThousands(MaximumOf(option, kind)) + ".";
  }
  return tip;
}

/// What holds if the user types nothing, and where it comes from. Never a secret.
std::string PlaceholderOf(const Option& option, const Setting& setting) {
  if (setting.source == Source::kNone) return option.unset != nullptr ? option.unset : "";
  if (option.type == OptionType::kSecret) return "set by " + setting.where;
  if (setting.source == Source::kBuiltIn) return setting.value;
  return ShownValue(option, setting.value) + " (" + setting.where + ")";
}

void PrintChoices(const Option& option, unsigned number, const std::string& effective) {
  for (const std::string_view choice : Split(option.choices, ',')) {
    Sentence value("value");
    value.With("arg", number).With("value", choice).With("display", choice);
    if (choice == effective) value.With("default", "true");
    value.Print();
  }
}

/// Before a reload there is only what picks nothing, and what a file or variable has picked.
void PrintPicks(unsigned number, const std::string& effective) {
  const bool picked = effective != kAsTyped;
  Sentence typed("value");
  typed.With("arg", number).With("value", kAsTyped).With("display", "as typed");
  if (!picked) typed.With("default", "true");
  typed.Print();
  if (!picked) return;
  Sentence value("value");
  value.With("arg", number).With("value", effective).With("display", effective);
  value.With("default", "true").Print();
}

}  // namespace

void PrintDialog(const CaptureInterface& interface, const Settings& settings) {
  unsigned number = 0;
  for (const Option& option : AllOptions()) {
    if (!AppliesTo(option, interface.kind)) continue;
    const Setting& setting = settings.At(option.id);
    Sentence arg("arg");
    arg.With("number", number)
        .With("call", "--" + std::string(option.name))
        .With("display", option.label)
        .With("type", TypeOf(option))
        .With("tooltip", TooltipOf(option, interface.kind));
    const bool selects = option.type == OptionType::kChoice || option.type == OptionType::kPick;
    if (!selects) {
      arg.WithIfAny("placeholder", PlaceholderOf(option, setting));
    }
    if (option.type == OptionType::kNumber) arg.With("validation", "^[0-9]*$");
    if (option.type == OptionType::kFile) arg.With("mustexist", "false");
    // On 4.0 only a selector can have a reload button, and it takes no typed text.
    if (option.type == OptionType::kPick) arg.With("reload", "true");
    arg.With("group", option.tab).Print();
    if (option.type == OptionType::kPick) PrintPicks(number, setting.value);
    if (option.type == OptionType::kChoice) PrintChoices(option, number, setting.value);
    ++number;
  }
}

}  // namespace cloudflaredump
