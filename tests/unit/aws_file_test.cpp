// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/aws_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::bucket {
namespace {

/// "[section]key=value;key=value;[section]…", line breaks in values as |.
std::string Parsed(std::string_view text) {
  std::string all;
  for (const AwsSection& section : ParseAwsFile(text)) {
    all += "[" + section.header + "]";
    for (const auto& [key, value] : section.values) all += key + "=" + value + ";";
  }
  for (char& c : all) {
    if (c == '\n') c = '|';
  }
  return all;
}

/// What Python's configparser, with which botocore reads these files, makes of the same texts.
void FilesAreReadAsBotocoreReadsThem(void**) {
  const std::pair<const char*, const char*> cases[] = {
      {"[default]\na = 1\nb=2\n", "[default]a=1;b=2;"},
      {"[default] # mine\nA_Key = x\n", "[default]a_key=x;"},
      {"[default]\na: 1\nb : x=y\nc = d:e\n", "[default]a=1;b=x=y;c=d:e;"},
      {"# one\n; two\n[default]\n# three\na = 1 # not a comment\n ; four\nb=2\n",
       "[default]a=1 # not a comment;b=2;"},
      {"[default]\r\na = 1\r\nb = 2\r\n", "[default]a=1;b=2;"},
      {"  [default]\n  a = 1\n  b = 2\n", "[default]a=1;b=2;"},
      {"[default]\ns3 =\n  addressing_style = path\n  x = y\na = 1\n",
       "[default]a=1;s3=|addressing_style = path|x = y;"},
      {"[default]\na = 1\n  2\n\t3\nb = 4\n", "[default]a=1|2|3;b=4;"},
      // Deeper than the header is not deeper than a value.
      {"[default]\n    a = 1\n    b = 2\n", "[default]a=1;b=2;"},
      {"[default]\na = 1\n  [other]\n  b = 2\n", "[default]a=1|[other]|b = 2;"},
      {"[profile \"net ops\"]\na = 1\n[ spaced ]\nb = 2\n",
       "[profile \"net ops\"]a=1;[spaced]b=2;"},
      {"[a]\nx = 1\n[b]\nx = 2\n", "[a]x=1;[b]x=2;"},
      {"[a]\nempty =\n", "[a]empty=;"},
      {"[a]\nk = pla\\nted/+=\"'%(x)s ${y}\n", "[a]k=pla\\nted/+=\"'%(x)s ${y};"},
      {"\xef\xbb\xbf[a]\nx = 1", "[a]x=1;"},
  };
  for (const auto& [text, want] : cases) AssertText(Parsed(text), want);
}

/// botocore gives such a file up; AWS's other tools pass over these lines.
void LinesThatMeanNothingArePassedOver(void**) {
  AssertText(Parsed("stray = 1\n[a]\nnonsense\n= planted\nx = 1\n[broken\ny = 2\n[]\nz = 3\n"),
             "[a]x=1;y=2;z=3;");
  AssertText(Parsed("[a]\nx = 1\n[b]\n[a]\ny = 2\nx = 3\n"), "[a]x=3;y=2;[b]");
  AssertText(Parsed(""), "");
}

void NamesInHeadersAreQuotedAsInAShell(void**) {
  const std::pair<const char*, const char*> cases[] = {
      {"profile work", "work"},
      {"profile   work", "work"},
      {"profile \"net ops\"", "net ops"},
      {"profile 'net ops'", "net ops"},
      {"profile\tnet\\ ops", "net ops"},
      {"profile \"a'b\"", "a'b"},
      {"profile", ""},
      {"profile a b", ""},
      {"profile \"open", ""},
      {"profilework", ""},
      {"profiles work", ""},
      {"services work", ""},
      {"default", ""},
      {"work", ""},
  };
  for (const auto& [header, want] : cases) AssertText(NameInHeader(header, "profile"), want);
  AssertText(NameInHeader("services \"my own\"", "services"), "my own");
}

void ValuesMayBeNested(void**) {
  constexpr const char* kValue = "\nendpoint_url = http://127.0.0.1:9/a=b\n other=1";
  AssertText(NestedValue(kValue, "endpoint_url"), "http://127.0.0.1:9/a=b");
  AssertText(NestedValue(kValue, "other"), "1");
  AssertText(NestedValue(kValue, "none"), "");
  AssertText(NestedValue("", "other"), "");
}

void AnyRegularFileIsRead(void**) {
  const TempFolder folder;
  const std::string file = folder.Write("real", "[default]\n", 0664);
  AssertText(ValueOf(ReadAwsText(file)), "[default]\n");
  assert_int_equal(symlink(file.c_str(), (folder / "link").c_str()), 0);
  AssertText(ValueOf(ReadAwsText(folder / "link")), "[default]\n");
  AssertText(ValueOf(ReadAwsText(folder / "none")), "");
  AssertText(ValueOf(ReadAwsText(file + "/below-a-file")), "");
}

/// A FIFO would keep us until somebody writes, a device for ever.
void WhatIsNotAFileIsRefusedByName(void**) {
  const TempFolder folder;
  assert_int_equal(mkfifo((folder / "fifo").c_str(), 0600), 0);
  AssertFails(ReadAwsText(folder / "fifo"), Error::Kind::kFinal,
              folder / "fifo" + " cannot be read: it is not a regular file");
  AssertFails(ReadAwsText("/dev/zero"), Error::Kind::kFinal,
              "/dev/zero cannot be read: it is not a regular file");
  AssertFails(ReadAwsText(folder.path()), Error::Kind::kFinal, "directory");
  folder.Write("large", std::string((1 << 20) + 1, '#'));
  AssertFails(ReadAwsText(folder / "large"), Error::Kind::kFinal, "larger than 1 MiB");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FilesAreReadAsBotocoreReadsThem),
      cmocka_unit_test(LinesThatMeanNothingArePassedOver),
      cmocka_unit_test(NamesInHeadersAreQuotedAsInAShell),
      cmocka_unit_test(ValuesMayBeNested),
      cmocka_unit_test(AnyRegularFileIsRead),
      cmocka_unit_test(WhatIsNotAFileIsRefusedByName),
  };
  return cmocka_run_group_tests_name("AWS's files", tests, nullptr, nullptr);
}
