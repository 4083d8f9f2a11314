// A gRPC unary echo to compare the bus with: asynchronous on both sides, one completion queue and one thread
// each, which is its fastest form on one processor.
//
//   peer_grpc serve URL REPLY-BYTES                        until it is ended
//   peer_grpc ask URL REQUEST-BYTES IN-FLIGHT SECONDS      prints calls per second
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "peer_echo.grpc.pb.h"

namespace {

constexpr int kServing = 256;

// One call on the server's side: waits for a request, answers, and begins again.
class Served {
  public:
    Served(peer::Echo::AsyncService *service, grpc::ServerCompletionQueue *queue, const std::string *reply)
        : service_(service), queue_(queue), reply_(reply)
    {
        Wait();
    }

    void
    Step(bool ok)
    {
        if (!ok)
            return;
        if (answered_) {
            Wait();
            return;
        }
        answered_ = true;
        peer::Bytes out;
        out.set_body(*reply_);
        call_->writer.Finish(out, grpc::Status::OK, this);
    }

  private:
    struct Call {
        grpc::ServerContext context;
        peer::Bytes request;
        grpc::ServerAsyncResponseWriter<peer::Bytes> writer{&context};
    };

    void
    Wait()
    {
        answered_ = false;
        call_ = std::make_unique<Call>();
        service_->RequestAsk(&call_->context, &call_->request, &call_->writer, queue_, queue_, this);
    }

    peer::Echo::AsyncService *service_;
    grpc::ServerCompletionQueue *queue_;
    const std::string *reply_;
    std::unique_ptr<Call> call_;
    bool answered_ = false;
};

int
Serve(const std::string &url, size_t reply_bytes)
{
    const std::string reply(reply_bytes, 'x');
    peer::Echo::AsyncService service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(url, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    auto queue = builder.AddCompletionQueue();
    auto server = builder.BuildAndStart();
    if (!server)
        return EXIT_FAILURE;
    std::vector<std::unique_ptr<Served>> calls;
    for (int i = 0; i < kServing; i++)
        calls.push_back(std::make_unique<Served>(&service, queue.get(), &reply));
    void *tag;
    bool ok;
    while (queue->Next(&tag, &ok))
        static_cast<Served *>(tag)->Step(ok);
    return EXIT_SUCCESS;
}

struct Asked {
    grpc::ClientContext context;
    peer::Bytes reply;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReaderInterface<peer::Bytes>> reader;
};

void
Ask(peer::Echo::StubInterface *echo, grpc::CompletionQueue *queue, const peer::Bytes &request)
{
    auto *call = new Asked;
    call->reader = echo->AsyncAsk(&call->context, request, queue);
    call->reader->Finish(&call->reply, &call->status, call);
}

bool
Take(grpc::CompletionQueue *queue)
{
    void *tag;
    bool ok;
    if (!queue->Next(&tag, &ok))
        return false;
    std::unique_ptr<Asked> call(static_cast<Asked *>(tag));
    return ok && call->status.ok();
}

int
AskMany(const std::string &url, size_t request_bytes, int in_flight, double seconds)
{
    using Clock = std::chrono::steady_clock;
    auto channel = grpc::CreateChannel(url, grpc::InsecureChannelCredentials());
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)))
        return EXIT_FAILURE;
    auto echo = peer::Echo::NewStub(channel);
    grpc::CompletionQueue queue;
    peer::Bytes request;
    request.set_body(std::string(request_bytes, 'y'));
    for (int i = 0; i < in_flight; i++)
        Ask(echo.get(), &queue, request);
    const auto start = Clock::now();
    std::chrono::duration<double> took{};
    long calls = 0;
    while (took.count() < seconds) {
        if (!Take(&queue))
            return EXIT_FAILURE;
        Ask(echo.get(), &queue, request);
        calls++;
        took = Clock::now() - start;
    }
    for (int i = 0; i < in_flight; i++)
        Take(&queue);
    std::printf("%.1f\n", static_cast<double>(calls) / took.count());
    return EXIT_SUCCESS;
}

} // namespace

int
main(int argc, char **argv)
{
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "serve" && argc == 4)
        return Serve(argv[2], std::strtoul(argv[3], nullptr, 10));
    if (what == "ask" && argc == 6)
        return AskMany(argv[2], std::strtoul(argv[3], nullptr, 10), std::atoi(argv[4]),
                       std::strtod(argv[5], nullptr));
    std::fputs("usage: peer_grpc serve URL REPLY-BYTES | ask URL REQUEST-BYTES IN-FLIGHT SECONDS\n", stderr);
    return EXIT_FAILURE;
}
