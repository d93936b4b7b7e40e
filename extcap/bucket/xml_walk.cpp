// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/xml_walk.h"

#include <libxml/xmlreader.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace cloudflaredump::bucket {
namespace {

/// For what may be a proxy's page, or half of ours.
constexpr auto kPassing = Error::Kind::kPassing;

constexpr int kDeepestElement = 16;
constexpr std::size_t kMaxText = std::size_t{1} << 20;

struct ReaderFree {
  void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
};

/// Whether each tag is short, with the text behind it, for a '>' may also stand in an attribute:
/// libxml2 takes time that grows with the square of the attributes.
bool HasShortTags(std::string_view xml) {
  constexpr std::size_t kLongestTag = std::size_t{64} << 10;
  for (std::size_t at = xml.find('<'); at < xml.size();) {
    const std::size_t next = std::min(xml.find('<', at + 1), xml.size());
    if (next - at > kLongestTag) return false;
    at = next;
  }
  return true;
}

/// libxml2 writes to stderr by itself unless it is given somebody to tell.
void IgnoreMessage(void*, const char*, xmlParserSeverities, xmlTextReaderLocatorPtr) {}

const char* Text(const xmlChar* text) {
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

/// The elements that are open, outermost first.
class OpenElements {
 public:
  explicit OpenElements(const XmlElementEnd& on_end) : on_end_(on_end) {}

  void Open(const char* name) {
    starts_.push_back(path_.size());
    path_.append("/").append(name);
    texts_.emplace_back();
  }

  bool Add(const char* text) {
    if (texts_.empty()) return true;
    texts_.back() += text;
    return texts_.back().size() <= kMaxText;
  }

  void Close() {
    if (texts_.empty()) return;
    on_end_(path_, texts_.back());
    texts_.pop_back();
    path_.resize(starts_.back());
    starts_.pop_back();
  }

 private:
  const XmlElementEnd& on_end_;
  std::string path_;
  std::vector<std::size_t> starts_;
  std::vector<std::string> texts_;
};

}  // namespace

Result<void> WalkXml(std::string_view xml, const XmlElementEnd& on_end) {
  constexpr std::size_t kLongest = std::size_t{4} << 20;
  if (xml.size() > kLongest) return Fail("the XML is longer than 4 MiB");
  if (xml.contains("<!DOCTYPE")) return Fail("the XML has a DTD or entities of its own", kPassing);
  if (!HasShortTags(xml)) return Fail("the XML has a tag or a text of more than 64 KiB");
  // No XML_PARSE_NOENT and no XML_PARSE_DTDLOAD: entities of a document stay what they are. No
  // XML_PARSE_HUGE: libxml2's own limits hold.
  constexpr int kOptions = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                           XML_PARSE_NOCDATA | XML_PARSE_COMPACT;
  const std::unique_ptr<xmlTextReader, ReaderFree> reader(
      xmlReaderForMemory(xml.data(), static_cast<int>(xml.size()), nullptr, nullptr, kOptions));
  if (reader == nullptr) return Fail("the XML cannot be read: no memory");
  xmlTextReaderSetErrorHandler(reader.get(), IgnoreMessage, nullptr);
  OpenElements open(on_end);
  int more = 0;
  while ((more = xmlTextReaderRead(reader.get())) == 1) {
    if (xmlTextReaderDepth(reader.get()) > kDeepestElement) {
      return Fail("the XML is nested too deeply");
    }
    switch (xmlTextReaderNodeType(reader.get())) {
      case XML_READER_TYPE_DOCUMENT_TYPE:
      case XML_READER_TYPE_ENTITY_REFERENCE:
        return Fail("the XML has a DTD or entities of its own");
      case XML_READER_TYPE_ELEMENT:
        open.Open(Text(xmlTextReaderConstLocalName(reader.get())));
        if (xmlTextReaderIsEmptyElement(reader.get()) == 1) open.Close();
        break;
      case XML_READER_TYPE_TEXT:
      case XML_READER_TYPE_CDATA:
      case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        if (!open.Add(Text(xmlTextReaderConstValue(reader.get())))) {
          return Fail("the XML has too long a text");
        }
        break;
      case XML_READER_TYPE_END_ELEMENT:
        open.Close();
        break;
      default:
        break;
    }
  }
  if (more != 0) return Fail("the XML is not well-formed", kPassing);
  return {};
}

}  // namespace cloudflaredump::bucket
