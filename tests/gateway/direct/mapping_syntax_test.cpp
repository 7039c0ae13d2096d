// The notations of a mapping, each by its text.

#include "gateway/direct/mapping_syntax.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fettle::direct {
namespace {

TopicFilter topic(const std::string& text) {
  auto read = parse_topic_filter(text);
  EXPECT_TRUE(read.has_value()) << text;
  return read.has_value() ? *read : TopicFilter();
}

struct PointerCase {
  std::string text;
  std::vector<std::string> steps;
};
class PointerForm : public testing::TestWithParam<PointerCase> {};
TEST_P(PointerForm, IsReadAsRfc6901Says) {
  const auto read = parse_pointer(GetParam().text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->steps, GetParam().steps);
}
INSTANTIATE_TEST_SUITE_P(All, PointerForm,
                         testing::Values(PointerCase{"", {}}, PointerCase{"/", {""}}, PointerCase{"/a", {"a"}},
                                         PointerCase{"/a/b", {"a", "b"}}, PointerCase{"/a//b", {"a", "", "b"}},
                                         PointerCase{"/a/0", {"a", "0"}}, PointerCase{"/a~1b", {"a/b"}},
                                         PointerCase{"/m~0n", {"m~n"}}, PointerCase{"/~01", {"~1"}},
                                         PointerCase{"/switch:0/tC", {"switch:0", "tC"}},
                                         PointerCase{"/a b/ä", {"a b", "ä"}}));

struct FaultCase {
  std::string text;
  std::size_t offset;
  std::string message;
};
class PointerFault : public testing::TestWithParam<FaultCase> {};
TEST_P(PointerFault, SaysWhereAndWhat) {
  const auto read = parse_pointer(GetParam().text);
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().offset, GetParam().offset);
  EXPECT_EQ(read.error().message, GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    All, PointerFault,
    testing::Values(
        FaultCase{"a/b", 0, "is no JSON pointer: it begins with /; did you mean /a/b?"},
        FaultCase{"$.a.b[0].c", 0, "is no JSON pointer: it begins with /; did you mean /a/b/0/c?"},
        FaultCase{"/a~b", 2, "has ~ with neither 0 nor 1 behind it; in a JSON pointer ~0 stands for ~ and ~1 for /"},
        FaultCase{"/a~", 2, "has ~ with neither 0 nor 1 behind it; in a JSON pointer ~0 stands for ~ and ~1 for /"},
        FaultCase{"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", 0, "has 17 steps; at most 16 are allowed"},
        FaultCase{"/" + std::string(1024, 'a'), 1024, "has 1025 bytes; at most 1024 are allowed"}));

struct FilterCase {
  std::string text;
  std::string subscription;
};
class Filter : public testing::TestWithParam<FilterCase> {};
TEST_P(Filter, SubscribesWithoutItsNames) {
  EXPECT_EQ(subscription(topic(GetParam().text)), GetParam().subscription);
}
INSTANTIATE_TEST_SUITE_P(All, Filter,
                         testing::Values(FilterCase{"tele/{asset}/SENSOR", "tele/+/SENSOR"}, FilterCase{"+/a", "+/a"},
                                         FilterCase{"{a}/{b}/#", "+/+/#"}, FilterCase{"#", "#"},
                                         FilterCase{"a//b", "a//b"}, FilterCase{"/a/", "/a/"},
                                         FilterCase{"x/status/switch:0", "x/status/switch:0"}));

class FilterFault : public testing::TestWithParam<FaultCase> {};
TEST_P(FilterFault, SaysWhereAndWhat) {
  const auto read = parse_topic_filter(GetParam().text);
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().offset, GetParam().offset);
  EXPECT_EQ(read.error().message, GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    All, FilterFault,
    testing::Values(FaultCase{"", 0, "is empty; expected a topic such as tele/{asset}/SENSOR"},
                    FaultCase{"$SYS/#", 0, "begins with $, which is for the broker's own topics"},
                    FaultCase{"a/#/b", 2, "goes on behind #, which stands for all that follows"},
                    FaultCase{"a/b+/c", 3, "has \"+\" within a level; +, # and {name} each stand for a whole level"},
                    FaultCase{"a/b#", 3, "has \"#\" within a level; +, # and {name} each stand for a whole level"},
                    FaultCase{"a/x{b}", 3, "has \"{\" within a level; +, # and {name} each stand for a whole level"},
                    FaultCase{"a/{b", 2, "has \"{\" within a level; +, # and {name} each stand for a whole level"},
                    FaultCase{"a/{B}", 2, "names a level \"B\"; a name begins with a-z and goes on with a-z, 0-9, _"},
                    FaultCase{"a/{}", 2, "names a level \"\"; a name begins with a-z and goes on with a-z, 0-9, _"},
                    FaultCase{"{x}/{x}", 4, "names two levels \"x\"; give one of them another name"},
                    FaultCase{"/////////////////////////////////", 0, "has 34 levels; at most 32 are allowed"}));

struct OverlapCase {
  std::string first;
  std::string second;
  Overlap relation;
};
class TwoFilters : public testing::TestWithParam<OverlapCase> {};
TEST_P(TwoFilters, AreCompared) {
  const OverlapCase& it = GetParam();
  EXPECT_EQ(overlap(topic(it.first), topic(it.second)), it.relation) << it.first << " " << it.second;
  const Overlap turned = it.relation == Overlap::first_inside    ? Overlap::second_inside
                         : it.relation == Overlap::second_inside ? Overlap::first_inside
                                                                 : it.relation;
  EXPECT_EQ(overlap(topic(it.second), topic(it.first)), turned) << it.second << " " << it.first;
}
INSTANTIATE_TEST_SUITE_P(
    All, TwoFilters,
    testing::Values(OverlapCase{"a/b", "a/b", Overlap::same}, OverlapCase{"a/{x}", "a/+", Overlap::same},
                    OverlapCase{"a/b", "a/c", Overlap::none}, OverlapCase{"a/b", "a/b/c", Overlap::none},
                    OverlapCase{"a/b", "a/+", Overlap::first_inside}, OverlapCase{"a/+", "a/#", Overlap::first_inside},
                    OverlapCase{"a", "a/#", Overlap::first_inside}, OverlapCase{"a/b/#", "a/#", Overlap::first_inside},
                    OverlapCase{"#", "#", Overlap::same}, OverlapCase{"+/b", "#", Overlap::first_inside},
                    OverlapCase{"a/+", "+/b", Overlap::crossing}, OverlapCase{"a/#", "+/b", Overlap::crossing},
                    OverlapCase{"a/+/c", "a/b/+", Overlap::crossing}, OverlapCase{"a/+/c", "a/b/d", Overlap::none},
                    OverlapCase{"a/b/#", "a/+", Overlap::crossing}));

TEST(TwoFilters, ThatCrossShareATopicWhichIsNamed) {
  EXPECT_EQ(shared_topic(topic("a/{x}/c"), topic("a/b/+")), "a/b/c");
  EXPECT_EQ(shared_topic(topic("home/{x}/{y}"), topic("{x}/status/#")), "home/status/x");
}

struct TemplateCase {
  std::string text;
  std::size_t pieces;
};
class TemplateForm : public testing::TestWithParam<TemplateCase> {};
TEST_P(TemplateForm, IsReadInPieces) {
  const auto read = parse_template(GetParam().text, topic("tele/{asset}/{signal}"));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->pieces.size(), GetParam().pieces);
}
INSTANTIATE_TEST_SUITE_P(All, TemplateForm,
                         testing::Values(TemplateCase{"{asset}", 1}, TemplateCase{"x", 1},
                                         TemplateCase{"x-{asset}-{signal}", 4}, TemplateCase{"{/a/b}", 1},
                                         TemplateCase{"{asset|lower}{/a|upper}", 2}, TemplateCase{"{/a|b|lower}", 1}));

class TemplateFault : public testing::TestWithParam<FaultCase> {};
TEST_P(TemplateFault, SaysWhereAndWhat) {
  const auto read = parse_template(GetParam().text, topic("tele/{asset}/+/{signal}"));
  ASSERT_TRUE(read.has_error());
  EXPECT_EQ(read.error().offset, GetParam().offset);
  EXPECT_EQ(read.error().message, GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    All, TemplateFault,
    testing::Values(FaultCase{"", 0, "is empty; expected a text such as {asset} or meter-{/device/id}"},
                    FaultCase{"x{asset", 1, "has { without }"}, FaultCase{"x}", 1, "has } without {"},
                    FaultCase{"m-{device}", 3,
                              "uses {device}, and the topic names asset, signal; expected one of them, or a JSON "
                              "pointer such as {/device/id}"},
                    FaultCase{"{}", 1,
                              "uses {}, and the topic names asset, signal; expected one of them, or a JSON pointer "
                              "such as {/device/id}"},
                    FaultCase{"{asset|small}", 7, "has \"small\" behind |; expected lower or upper"},
                    FaultCase{"{/a~2}", 3,
                              "has ~ with neither 0 nor 1 behind it; in a JSON pointer ~0 stands for ~ and ~1 for /"}));

}  // namespace
}  // namespace fettle::direct
