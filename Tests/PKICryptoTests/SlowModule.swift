import Foundation

/// A PKCS #11 module with one token, `slow`, which hangs in every look for it for as long as a file is there: compiled for the test.
struct SlowModule {
    let path: String
    private let hold: String

    init(in scratch: ScratchDirectory) async throws {
        path = scratch.path("libslow.so")
        hold = scratch.path("hold")
        let header = ExternalTool.packageRoot.appending(path: "Sources/CPKCS11/pkcs11.h").path
        let source = try scratch.write(
            "slow.c", SlowModule.source.replacing("HEADER", with: header).replacing("HOLD", with: hold))
        let answer = try await ExternalTool.typed("clang -shared -fPIC -o '\(path)' '\(source)'", in: scratch.url)
        guard answer.isSuccess else { throw Failed(text: answer.text) }
    }

    struct Failed: Error {
        let text: String
    }

    func hang() throws { try Data().write(to: URL(filePath: hold)) }

    func goOn() throws { try FileManager.default.removeItem(atPath: hold) }

    private static let source = """
        #include <string.h>
        #include <unistd.h>
        #include "HEADER"
        static CK_RV initialize(CK_C_INITIALIZE_ARGS *a) { return CKR_OK; }
        static CK_RV finalize(void *a) { return CKR_OK; }
        static CK_RV slots(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count) {
            while (access("HOLD", F_OK) == 0) usleep(10000);
            if (list) list[0] = 7;
            *count = 1;
            return CKR_OK;
        }
        static CK_RV info(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
            memset(info, ' ', sizeof *info);
            memcpy(info->label, "slow", 4);
            info->flags = CKF_TOKEN_INITIALIZED;
            return CKR_OK;
        }
        static CK_RV open_(CK_SLOT_ID slot, CK_FLAGS flags, void *a, void *n, CK_SESSION_HANDLE *s) { *s = 1; return CKR_OK; }
        static CK_RV close_(CK_SESSION_HANDLE s) { return CKR_OK; }
        static CK_RV login(CK_SESSION_HANDLE s, CK_USER_TYPE t, CK_UTF8CHAR *p, CK_ULONG n) { return CKR_OK; }
        static CK_FUNCTION_LIST list = {
            .version = {2, 40}, .C_Initialize = initialize, .C_Finalize = finalize, .C_GetSlotList = slots,
            .C_GetTokenInfo = info, .C_OpenSession = open_, .C_CloseSession = close_, .C_Login = login,
        };
        CK_RV C_GetFunctionList(CK_FUNCTION_LIST **l) { *l = &list; return CKR_OK; }
        """
}
