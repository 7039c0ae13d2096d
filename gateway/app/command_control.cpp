// Commands that ask the gateway, or do its work where none runs.

#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "gateway/app/commands.h"
#include "gateway/app/control.h"
#include "gateway/app/links.h"
#include "gateway/app/output.h"

namespace fettle::app {
namespace {

int print(const Reply& reply) {
  if (!reply.ok) {
    std::fprintf(stderr, "%s%s", reply.text.c_str(), reply.text.ends_with('\n') ? "" : "\n");
    return 1;
  }
  std::printf("%s%s", reply.text.c_str(), reply.text.ends_with('\n') ? "" : "\n");
  return 0;
}

Reply ask_command(const Config& config, const engine::Command& command) {
  return ask(config, Request::command, command.SerializeAsString(), log_to_stderr);
}

}  // namespace

int check(const Config& config) {
  const std::vector<std::string> problems = Links::check(config);
  for (const std::string& problem : problems) fail(problem);
  if (!problems.empty()) return 1;
  std::printf("data %s, broker %s, client id %s: in order\n", config.data.c_str(),
              config.mqtt.broker.empty() ? "none" : config.mqtt.broker.c_str(), config.mqtt.client_id.c_str());
  return 0;
}

int apply(const Config& config, const std::vector<std::filesystem::path>& files) {
  std::vector<catalog::SourceFile> sources;
  std::string unreadable;
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    if (!in.good() && !in.eof()) {
      unreadable += file.string() + ": cannot be read; check the name and who may read it\n";
      continue;
    }
    sources.push_back({file.string(), std::move(text)});
  }
  if (!unreadable.empty()) return print({false, unreadable + "nothing was applied\n"});
  return print(ask(config, Request::apply, encode_files(sources), log_to_stderr));
}

int drain(const Config& config) {
  return print(ask(config, Request::drain, {}, log_to_stderr));
}

int backup(const Config& config, const std::filesystem::path& target) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(target, error);
  return print(ask(config, Request::backup, absolute.string(), log_to_stderr));
}

int close_work_order(const Config& config, const std::string& id, const std::string& actor, const std::string& reason) {
  engine::Command command;
  auto& close = *command.mutable_close_work_order();
  close.set_id(id);
  close.set_actor(actor);
  close.set_reason(reason);
  return print(ask_command(config, command));
}

int run_invoices(const Config& config, const std::string& until, Format format) {
  const auto time = date_argument(until, "--until");
  if (!time) return 1;
  engine::Command command;
  command.mutable_run_invoices()->set_until_ms(time->time_since_epoch().count());
  const Reply reply = ask_command(config, command);
  boost::json::error_code error;
  const boost::json::value result = boost::json::parse(reply.text, error);
  if (format == Format::json || error || !result.is_object()) return print(reply);
  for (const auto& value : result.at("invoices").as_array()) {
    const auto& invoice = value.as_object();
    const bool final = invoice.at("final").as_bool();
    std::printf("%s %s, %lld lines, customer %s%s%s\n", final ? "final" : "draft", invoice.at("id").as_string().c_str(),
                static_cast<long long>(invoice.at("lines").to_number<std::int64_t>()),
                invoice.at("customer").as_string().c_str(), final ? "" : ", waiting for ",
                final ? "" : invoice.at("waiting_for").as_string().c_str());
  }
  if (result.at("invoices").as_array().empty()) std::printf("nothing to bill until %s\n", until.c_str());
  for (const auto& problem : result.at("problems").as_array()) fail(problem.as_string().c_str());
  return reply.ok ? 0 : 1;
}

}  // namespace fettle::app
