// The boundary with JavaScript: registration and conversion of values, described in types in src/binding.ts.

#include <napi.h>

#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "positioned_read.h"
#include "reader.h"

namespace {

using airllm::Reader;
using airllm::ReaderOptions;
using airllm::ReadJob;

[[noreturn]] void fail(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  throw error;
}

double numberArgument(const Napi::CallbackInfo& info, size_t index, double most = 9007199254740991.0) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : -1;
  if (!(value >= 0 && value <= most)) fail(info.Env(), "INVALID_READ", "Expected a size");
  return value;
}

/** A read, its promise and its memory, which stays until it has ended. */
struct PromisedRead : ReadJob {
  PromisedRead(Napi::Env env, Napi::Uint8Array memory)
      : deferred(Napi::Promise::Deferred::New(env)), held(Napi::Persistent(memory.As<Napi::Object>())) {}
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference held;
};

/** Completed reads on their way to JavaScript: whoever adds to an empty list has it emptied, all at once. */
class Completed {
 public:
  bool add(std::unique_ptr<ReadJob> job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    return jobs_.size() == 1;
  }
  std::vector<std::unique_ptr<ReadJob>> takeAll() {
    const std::lock_guard lock(mutex_);
    return std::exchange(jobs_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<ReadJob>> jobs_;
};

class ReaderHandle : public Napi::ObjectWrap<ReaderHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Reader",
        {InstanceMethod<&ReaderHandle::read>("read"), InstanceMethod<&ReaderHandle::cancel>("cancel"),
         InstanceMethod<&ReaderHandle::close>("close")});
  }

  /** new Reader(method: 'io_uring' | 'threads', depth: number, requestBytes: number) */
  explicit ReaderHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReaderHandle>(info) {
    const Napi::Env env = info.Env();
    const bool ring = info[0].ToString().Utf8Value() == "io_uring";
    const ReaderOptions options{static_cast<size_t>(numberArgument(info, 1, 1024)),
                                static_cast<size_t>(numberArgument(info, 2, 1 << 30))};
    if (options.depth < 1 || options.requestBytes < 4096 || options.requestBytes % 4096 != 0) {
      fail(env, "INVALID_READ", "Expected a depth of at least 1 and requests of whole pages");
    }
    // Created before the cleanup hook, which therefore runs first: threads end before their way to report
    // does.
    signal_ = Signal::New(env, "airllm direct reads", 0, 1, this);
    signal_.Unref(env);
    const auto completed = [this](std::unique_ptr<ReadJob> job) {
      // Refused only when the environment is closing; then nobody waits for the promise.
      if (completed_.add(std::move(job))) signal_.NonBlockingCall();
    };
    try {
      reader_ = ring ? airllm::createRingReader(options, completed)
                     : airllm::createThreadReader(options, completed);
    } catch (const std::system_error& error) {
      signal_.Release();
      fail(env, "READER_UNAVAILABLE", error.what());
    }
    napi_add_env_cleanup_hook(env, stopAtExit, this);
  }

  ~ReaderHandle() override { shutDown(); }

 private:
  static void settleAll(Napi::Env env, Napi::Function, ReaderHandle* self, void*) {
    // During teardown the queue is drained without an environment.
    if (env == nullptr) return;
    const Napi::HandleScope scope(env);
    for (std::unique_ptr<ReadJob>& job : self->completed_.takeAll()) {
      self->settle(env, std::unique_ptr<PromisedRead>(static_cast<PromisedRead*>(job.release())));
    }
  }
  using Signal = Napi::TypedThreadSafeFunction<ReaderHandle, void, settleAll>;

  void settle(Napi::Env env, std::unique_ptr<PromisedRead> read) {
    if (read->error == 0) {
      read->deferred.Resolve(Napi::Number::New(env, static_cast<double>(read->arrived)));
    } else {
      Napi::Error error = Napi::Error::New(env, std::generic_category().message(read->error));
      error.Set("errno", Napi::Number::New(env, read->error));
      error.Set("fileOffset", Napi::Number::New(env, static_cast<double>(read->errorOffset)));
      read->deferred.Reject(error.Value());
    }
    if (--pending_ > 0) return;
    signal_.Unref(env);
    Unref();
  }

  static void stopAtExit(void* data) {
    auto* self = static_cast<ReaderHandle*>(data);
    self->exiting_ = true;
    self->reader_.reset();
    // Their references may be freed here, and no more when the environment is gone.
    self->completed_.takeAll();
  }

  /**
   * read(id, fd, memory: Uint8Array, bufferOffset, byteLength, fileOffset, alignment, fresh: boolean):
   * Promise<number>
   */
  Napi::Value read(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (reader_ == nullptr) fail(env, "READER_CLOSED", "Expected an open reader");
    if (!info[2].IsTypedArray() || info[2].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
      fail(env, "INVALID_READ", "Expected memory as bytes");
    }
    auto memory = info[2].As<Napi::Uint8Array>();
    const double offset = numberArgument(info, 3), length = numberArgument(info, 4);
    if (offset + length > static_cast<double>(memory.ByteLength())) {
      fail(env, "INVALID_READ",
           "Expected a range within the memory's " + std::to_string(memory.ByteLength()) + " bytes");
    }
    auto job = std::make_unique<PromisedRead>(env, memory);
    job->id = static_cast<uint64_t>(numberArgument(info, 0));
    job->fd = static_cast<int>(numberArgument(info, 1, 2147483647));
    job->data = memory.Data() + static_cast<size_t>(offset);
    job->length = static_cast<size_t>(length);
    job->fileOffset = static_cast<uint64_t>(numberArgument(info, 5));
    job->alignment = static_cast<size_t>(numberArgument(info, 6, 1 << 30));
    job->fresh = info[7].ToBoolean();
    if (job->alignment == 0) fail(env, "INVALID_READ", "Expected an alignment of at least 1");
    const Napi::Promise promise = job->deferred.Promise();
    // While reads are pending the process and this object stay alive.
    if (pending_++ == 0) {
      signal_.Ref(env);
      Ref();
    }
    reader_->submit(std::move(job));
    return promise;
  }

  /** cancel(id: number): void */
  void cancel(const Napi::CallbackInfo& info) {
    if (reader_ != nullptr) reader_->cancel(static_cast<uint64_t>(numberArgument(info, 0)));
  }

  /** close(): void — the caller has awaited its reads. */
  void close(const Napi::CallbackInfo&) { shutDown(); }

  void shutDown() {
    if (reader_ == nullptr) return;
    napi_remove_env_cleanup_hook(Env(), stopAtExit, this);
    reader_.reset();
    // A closing environment frees the thread-safe function itself.
    if (!exiting_) signal_.Release();
  }

  Completed completed_;
  Signal signal_;
  std::unique_ptr<Reader> reader_;
  bool exiting_ = false;
  size_t pending_ = 0;
};

/** bypassCache(fd: number): boolean */
Napi::Value bypassCache(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(),
                            airllm::bypassCache(static_cast<int>(numberArgument(info, 0, 2147483647))));
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Reader", ReaderHandle::define(env));
  exports.Set("bypassCache", Napi::Function::New(env, bypassCache));
  return exports;
}

}  // namespace

NODE_API_MODULE(airllm_direct_io, initialize)
